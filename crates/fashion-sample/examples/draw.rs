//! Draws a garment of each class as text: `cargo run -p fashion-sample --example draw -- [SEED]`.

use std::error::Error;

/// From black to white.
const SHADES: &[u8] = b" .:-=+*#%@";

fn main() -> Result<(), Box<dyn Error>> {
    let seed = match std::env::args().nth(1) {
        Some(seed) => seed.parse()?,
        None => fashion_sample::SEED,
    };
    let splits = fashion_sample::generate(seed);
    for (class, name) in splits.test.classes().iter().enumerate() {
        let labels = splits.test.labels();
        let index = labels.iter().position(|&label| usize::from(label) == class);
        println!("{name}");
        for row in
            splits.test.pixels(index.ok_or("a class without images")?).chunks(splits.test.side())
        {
            let shade = |&level: &u8| char::from(SHADES[usize::from(level) * SHADES.len() / 256]);
            println!("  {}", row.iter().flat_map(|level| [shade(level); 2]).collect::<String>());
        }
    }
    Ok(())
}
