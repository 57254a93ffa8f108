//! Pictures made what a network takes.

use std::fs;

use fashion_data::picture::{self, Limits, Picture};
use fashion_data::prepare::{Doubt, Preparation, Prepare, prepare_tree, side_by_side};
use fashion_data::{Reading, folder};

const SIDE: usize = 28;

fn picture(width: usize, height: usize, level: impl Fn(usize, usize) -> [u8; 3]) -> Picture {
    let pixels = (0..width * height).flat_map(|at| level(at % width, at / width)).collect();
    Picture { pixels, width, height, channels: 3 }
}

fn fixture(name: &str) -> String {
    format!("{}/tests/it/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The pictures of `fixtures/zalando.py`.
fn striped(width: usize, height: usize, channels: usize, seed: usize) -> Picture {
    let (x0, y0) = (width * 45 / 100, height * 55 / 100);
    let (a, b) = (width * 3 / 10, height * 38 / 100);
    let rgb = picture(width, height, |x, y| {
        let apart = x.abs_diff(x0).pow(2) * b * b + y.abs_diff(y0).pow(2) * a * a;
        if apart < a * a * b * b {
            [(40 + 3 * x + y + seed) % 200, (90 + x * y / 7) % 180, (150 + 2 * y * seed) % 220]
        } else {
            let level = 249 + (7 * x + 3 * y) % 6;
            [level, level - (x + y) % 3, level]
        }
        .map(|level| level as u8)
    });
    match channels {
        1 => Picture { pixels: rgb.pixels.into_iter().step_by(3).collect(), channels, ..rgb },
        _ => rgb,
    }
}

#[test]
fn zalandos_way_is_imagemagicks_to_a_level() {
    for (number, [width, height, channels, seed]) in
        [[90, 60, 3, 1], [61, 133, 3, 4], [150, 149, 1, 2], [20, 9, 3, 3]].into_iter().enumerate()
    {
        let picture = striped(width, height, channels, seed);
        let prepared = Preparation::Zalando.apply(&picture, SIDE, 1).unwrap();
        let expected =
            picture::read(fixture(&format!("zalando-{number}.png")).as_ref(), &Limits::default())
                .unwrap();
        let off = prepared.pixels.iter().zip(&expected.pixels).map(|(a, b)| a.abs_diff(*b));
        assert!(off.max() <= Some(1), "picture {number}");
        assert_eq!(prepared.doubt, None);
    }
}

#[test]
fn what_a_network_takes_stays_as_it_is() {
    let tile = |channels: usize, border: u8| {
        let level = |at: usize| {
            let (x, y) = (at / channels % SIDE, at / channels / SIDE);
            if x % 27 == 0 || y % 27 == 0 { border } else { (at * 7 % 120) as u8 }
        };
        let pixels = (0..SIDE * SIDE * channels).map(level).collect();
        Picture { pixels, width: SIDE, height: SIDE, channels }
    };
    for preparation in Preparation::ALL {
        let apply = |picture: &Picture, channels| {
            preparation.apply(picture, SIDE, channels).map(|prepared| prepared.pixels)
        };
        let grey = tile(1, 0);
        assert_eq!(apply(&grey, 1).unwrap(), grey.pixels);
        assert_eq!(apply(&grey, 3).unwrap(), grey.clone().into_rgb().pixels);
        let colour = tile(3, 250);
        assert_eq!(apply(&colour, 3).unwrap(), colour.pixels);
        // A dark garment on white, of the size of a tile.
        let inverted = tile(1, 250);
        let kept = apply(&inverted, 1).unwrap() == inverted.pixels;
        assert_eq!(kept, preparation == Preparation::None);
        let wide = Picture { width: 2 * SIDE, height: SIDE / 2, ..grey.clone() };
        for (picture, problem) in
            [(&wide, "56x14 pixels, grey"), (&colour, "28x28 pixels, in colour")]
        {
            match preparation {
                Preparation::None => {
                    let error = apply(picture, 1).unwrap_err().to_string();
                    assert!(
                        error.contains(problem) && error.contains("--prepare photo"),
                        "{error}"
                    );
                }
                _ => assert_eq!(apply(picture, 1).unwrap().len(), SIDE * SIDE),
            }
        }
    }
}

/// How far a shape is from the left, the right, the top and the bottom of a tile.
fn margins(tile: &[u8]) -> [usize; 4] {
    let seen = |x: usize, y: usize| tile[y * SIDE + x] > 8;
    let column = |x: &usize| (0..SIDE).any(|y| seen(*x, y));
    let row = |y: &usize| (0..SIDE).any(|x| seen(x, *y));
    let all = || 0..SIDE;
    [
        all().find(column).unwrap(),
        SIDE - 1 - all().rfind(column).unwrap(),
        all().find(row).unwrap(),
        SIDE - 1 - all().rfind(row).unwrap(),
    ]
}

/// A T with its upper left corner there, 60% as wide as it is high, in pixels of its height.
fn is_shirt(x: f64, y: f64) -> bool {
    let (sleeves, body) = (y < 0.35, (0.15..0.45).contains(&x));
    (0.0..0.6).contains(&x) && (0.0..1.0).contains(&y) && (sleeves || body)
}

/// A shirt of this colour, so high, with its corner there, on a ground.
fn shirt(
    size: [usize; 2],
    corner: [f64; 2],
    high: f64,
    cloth: [u8; 3],
    ground: impl Fn(f64, f64) -> [u8; 3],
) -> Picture {
    let [width, height] = size;
    picture(width, height, |x, y| {
        let place = [x as f64 + 0.5 - corner[0], y as f64 + 0.5 - corner[1]].map(|at| at / high);
        // A little noise, so that nothing is as even as paint.
        let noise = ((x * 31 + y * 17) % 5) as i16 - 2;
        let colour = match is_shirt(place[0], place[1]) {
            true => cloth,
            false => ground(x as f64 / width as f64, y as f64 / height as f64),
        };
        colour.map(|level| (i16::from(level) + noise).clamp(0, 255) as u8)
    })
}

fn assert_is_shirt(tile: &[u8], what: &str) {
    let [left, right, top, bottom] = margins(tile);
    assert_eq!((top, bottom), (0, 0), "{what}: the longest side is the tile's");
    assert!((16..=18).contains(&(SIDE - left - right)), "{what}: {left} and {right} beside it");
    assert!(left == right || left == right + 1, "{what}: {left} and {right} beside it");
    let share = |own: bool| {
        let inside = |at: &usize| {
            let (x, y) = ((at % SIDE - left.min(at % SIDE)) as f64 + 0.5, (at / SIDE) as f64 + 0.5);
            (at % SIDE >= left && is_shirt(x / 28.0, y / 28.0)) == own
        };
        let levels: Vec<u32> = (0..SIDE * SIDE).filter(inside).map(|at| tile[at].into()).collect();
        levels.iter().sum::<u32>() / levels.len() as u32
    };
    assert!(share(true) > 90 && share(false) < 12, "{what}: {} on {}", share(true), share(false));
}

#[test]
fn a_garment_is_cut_out_of_any_even_ground() {
    let lit = |colour: [u8; 3], x: f64, y: f64| {
        colour.map(|level| (f64::from(level) * (1.0 - 0.25 * x - 0.1 * y)) as u8)
    };
    let wood = |x: f64, y: f64| {
        let board = 1.0 - 0.04 * ((y * 9.0) as usize % 3) as f64 - 0.03 * (y * 200.0).sin().abs();
        [190.0, 150.0, 105.0].map(|level| (level * board * (1.0 - 0.1 * x)) as u8)
    };
    let corner = [40.0, 30.0];
    for (what, picture) in [
        ("dark on white", shirt([200, 160], corner, 100.0, [60, 40, 90], |_, _| [250; 3])),
        (
            "in shading",
            shirt([300, 240], [90.0, 55.0], 150.0, [40, 70, 60], |x, y| lit([235; 3], x, y)),
        ),
        ("on wood", shirt([240, 240], [60.0, 40.0], 160.0, [40, 40, 130], wood)),
        ("light on dark", shirt([240, 160], [100.0, 30.0], 110.0, [230, 225, 200], |_, _| [35; 3])),
        ("small", shirt([1200, 900], [700.0, 500.0], 90.0, [60, 40, 90], |_, _| [240, 245, 250])),
        ("at the edge", shirt([200, 160], [0.0, 60.0], 100.0, [60, 40, 90], |_, _| [250; 3])),
        ("large", shirt([4000, 3000], [900.0, 300.0], 2400.0, [60, 40, 90], |_, _| [250; 3])),
    ] {
        let prepared = Preparation::Photo.apply(&picture, SIDE, 1).unwrap();
        assert_eq!(prepared.doubt, None, "{what}");
        assert_is_shirt(&prepared.pixels, what);
    }
}

#[test]
fn a_black_ground_is_as_one_that_is_nearly_black() {
    let tile = |ground: u8| {
        let picture = shirt([200, 200], [50.0, 30.0], 120.0, [120, 130, 110], |_, _| [ground; 3]);
        Preparation::Photo.apply(&picture, SIDE, 1).unwrap().pixels
    };
    let [black, nearly] = [0, 12].map(tile);
    assert_is_shirt(&nearly, "on nearly black");
    // But for the outline, in which the ground is.
    assert!(black.iter().zip(&nearly).all(|(a, b)| a.abs_diff(*b) < 6));
}

/// Each pixel the mean of the square around it, up to this far.
fn blurred(sharp: &Picture, by: usize) -> Picture {
    picture(sharp.width, sharp.height, |x, y| {
        let rows = y.saturating_sub(by)..(y + by + 1).min(sharp.height);
        let columns = x.saturating_sub(by)..(x + by + 1).min(sharp.width);
        let count = rows.len() * columns.len();
        [0, 1, 2].map(|channel| {
            let level = |x, y| usize::from(sharp.pixels[3 * (y * sharp.width + x) + channel]);
            let row = |y| columns.clone().map(|x| level(x, y)).sum::<usize>();
            (rows.clone().map(row).sum::<usize>() / count) as u8
        })
    })
}

#[test]
fn a_dark_ground_leaves_no_light_outline() {
    let tile = |ground: u8| {
        let sharp = shirt([190, 190], [55.0, 25.0], 140.0, [180, 170, 175], |_, _| [ground; 3]);
        Preparation::Photo.apply(&blurred(&sharp, 1), SIDE, 1).unwrap().pixels
    };
    for ground in [10, 30, 60] {
        let tile = tile(ground);
        let inside = tile[14 * SIDE + 14];
        let lightest = tile.iter().copied().max().unwrap();
        assert!(lightest < inside + 12, "on {ground}: {lightest} around {inside}");
    }
}

#[test]
fn a_hem_of_another_colour_is_no_ground() {
    for (ground, body, hem) in
        [([60; 3], [150; 3], [30; 3]), ([70; 3], [60, 160, 70], [170, 40, 40])]
    {
        let dress = picture(190, 190, |x, y| {
            let inside =
                |by: usize| (55 + by..135 - by).contains(&x) && (25 + by..165 - by).contains(&y);
            if inside(2) {
                body
            } else if inside(0) {
                hem
            } else {
                ground
            }
        });
        let tile = Preparation::Photo.apply(&dress, SIDE, 1).unwrap().pixels;
        let row = &tile[14 * SIDE..][..SIDE];
        let first = row.iter().position(|&level| level > 0).unwrap();
        assert!(row[first] > row[14], "{hem:?} around {body:?}: {row:?}");
    }
}

#[test]
fn pictures_of_a_row_or_a_column_are_borne() {
    for [width, height] in [[1, 1], [1, 40], [40, 1], [3, 400]] {
        let stripes = picture(width, height, |x, y| [40 + 50 * ((x + y) % 4) as u8; 3]);
        for channels in [1, 3] {
            let prepared = Preparation::Photo.apply(&stripes, SIDE, channels).unwrap();
            assert_eq!(prepared.pixels.len(), SIDE * SIDE * channels);
        }
    }
}

#[test]
fn shadows_and_specks_are_no_garment() {
    let soft = |x: f64, y: f64| {
        // The shadow of something beside the picture.
        let dark = (1.0 - ((x - 0.12) / 0.1).powi(2) - ((y - 0.5) / 0.4).powi(2)).clamp(0.0, 1.0);
        [245.0, 240.0, 235.0].map(|level| (level * (1.0 - 0.3 * dark)) as u8)
    };
    let mut picture = shirt([320, 240], [140.0, 40.0], 160.0, [50, 60, 110], soft);
    for (x, y) in [(20, 200), (21, 200), (300, 15), (301, 15), (300, 16), (30, 220)] {
        picture.pixels[3 * (y * 320 + x)..][..3].fill(20);
    }
    let prepared = Preparation::Photo.apply(&picture, SIDE, 1).unwrap();
    assert_eq!(prepared.doubt, None);
    assert_is_shirt(&prepared.pixels, "with shadow and specks");
}

#[test]
fn doubt_is_said() {
    let doubt = |picture: &Picture| Preparation::Photo.apply(picture, SIDE, 1).unwrap().doubt;
    let paper = picture(200, 150, |_, _| [240; 3]);
    assert_eq!(doubt(&paper), Some(Doubt::Nothing));
    assert_eq!(Preparation::Zalando.apply(&paper, SIDE, 1).unwrap().doubt, Some(Doubt::Nothing));
    let noise = picture(200, 150, |x, y| {
        let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761);
        [8, 16, 24].map(|shift| (mixed >> shift) as u8)
    });
    assert_eq!(doubt(&noise), Some(Doubt::Uneven));
    let checks = picture(200, 150, |x, y| [if (x / 25 + y / 25) % 2 == 0 { 20 } else { 235 }; 3]);
    assert!(doubt(&checks).is_some());
    let button = shirt([200, 160], [40.0, 30.0], 11.0, [60, 40, 90], |_, _| [250; 3]);
    assert_eq!(doubt(&button), Some(Doubt::Small));
    let ghost = shirt([200, 160], [40.0, 30.0], 100.0, [241, 241, 240], |_, _| [244; 3]);
    assert!(doubt(&ghost).is_some());
}

#[test]
fn in_colour_it_lies_on_a_square_of_its_ground() {
    let picture = shirt([300, 200], [100.0, 40.0], 120.0, [160, 40, 30], |_, _| [90, 140, 200]);
    let prepared = Preparation::Photo.apply(&picture, 64, 3).unwrap();
    assert_eq!((prepared.pixels.len(), prepared.doubt), (64 * 64 * 3, None));
    let at = |x: usize, y: usize| -> [u8; 3] {
        prepared.pixels[3 * (y * 64 + x)..][..3].try_into().unwrap()
    };
    let close = |found: [u8; 3], expected: [u8; 3]| {
        found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 4)
    };
    assert!(close(at(32, 2), [160, 40, 30]) && close(at(32, 61), [160, 40, 30]));
    assert!(close(at(3, 30), [90, 140, 200]) && close(at(60, 60), [90, 140, 200]));
}

#[test]
fn a_folder_becomes_another_and_bad_files_are_named() {
    let root = tempfile::tempdir().unwrap();
    let (from, to) = (root.path().join("from"), root.path().join("to"));
    for class in ["boots", "hats"] {
        fs::create_dir_all(from.join(class)).unwrap();
    }
    let square = shirt([120, 120], [30.0, 10.0], 100.0, [60, 40, 90], |_, _| [250; 3]);
    let png = crate::common::png_as(
        &square.pixels,
        png::ColorType::Rgb,
        png::BitDepth::Eight,
        (120, 120),
    );
    for name in ["boots/a.png", "boots/a.jpg", "hats/b.PNG", "c.png"] {
        fs::write(from.join(name), &png).unwrap();
    }
    fs::write(from.join("hats/cut.png"), &png[..100]).unwrap();
    fs::write(from.join("hats/notes.txt"), "no picture").unwrap();
    let prepare = Prepare { preparation: Preparation::Photo, side: SIDE, channels: 1 };
    let tree = prepare_tree(&from, &to, prepare, &Limits::default(), &|_, _| {}).unwrap();
    assert_eq!((tree.written, tree.doubtful.len(), tree.failed.len()), (4, 0, 1));
    assert!(tree.failed[0].to_string().contains("cut.png: "), "{}", tree.failed[0]);
    let expected = Preparation::Photo.apply(&square, SIDE, 1).unwrap().pixels;
    for name in ["boots/a.jpg.png", "boots/a.png", "hats/b.png", "c.png"] {
        assert_eq!(
            picture::read(&to.join(name), &Limits::default()).unwrap().pixels,
            expected,
            "{name}"
        );
    }
    // Links that lead back lead nowhere.
    #[cfg(unix)]
    for name in ["hats/up", "hats/again"] {
        std::os::unix::fs::symlink("..", from.join(name)).unwrap();
    }
    // What is there stays.
    fs::write(to.join("c.png"), "mine").unwrap();
    let again = prepare_tree(&from, &to, prepare, &Limits::default(), &|_, _| {}).unwrap();
    assert_eq!((again.written, again.failed.len()), (0, 5));
    assert_eq!(fs::read(to.join("c.png")).unwrap(), b"mine");

    // Read as data, on the way or after it, they are the same.
    let reading = Reading { prepare: Some(prepare), ..Reading::default() };
    fs::remove_file(from.join("c.png")).unwrap();
    #[cfg(unix)]
    for name in ["hats/up", "hats/again"] {
        fs::remove_file(from.join(name)).unwrap();
    }
    let on_the_way = folder::read(&from, &reading).unwrap();
    fs::remove_file(to.join("c.png")).unwrap();
    assert_eq!(on_the_way.dataset, folder::read(&to, &Reading::default()).unwrap().dataset);
    let error = folder::read(&from, &Reading { prepare: None, ..reading });
    assert!(error.is_ok(), "all of one size");
}

#[test]
fn what_was_seen_stands_beside_the_picture() {
    let picture = shirt([300, 150], [100.0, 20.0], 100.0, [160, 40, 30], |_, _| [90, 140, 200]);
    let seen = Preparation::Photo.apply(&picture, SIDE, 1).unwrap().pixels;
    let sheet = side_by_side(&picture, &seen, SIDE, 1);
    let decoder = png::Decoder::new(std::io::Cursor::new(&sheet));
    let reader = decoder.read_info().unwrap();
    // Both 280 pixels wide, with margins of 20 around and twice that between.
    assert_eq!((reader.info().width, reader.info().height), (280 + 280 + 80, 280 + 40));
}
