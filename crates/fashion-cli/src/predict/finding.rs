//! Finding what the arguments name: files, folders, patterns, archives, and a list on standard input.

use super::list::Paths;
use crate::exit;
use crate::output::inline;
use anyhow::{Context, Error, Result, bail};
use fashion_data::files::is_clutter;
use fashion_data::folder::is_named;
use fashion_data::npz::Images;
use fashion_data::picture::Picture;
use fashion_model::ImageShape;
use glob::{MatchOptions, Pattern};
use std::io;
use std::ops::ControlFlow;
use std::path::{MAIN_SEPARATOR, Path, PathBuf, is_separator};
use walkdir::WalkDir;

/// An image to classify, or why there is none.
pub(super) enum Found {
    /// A file, which is not read yet.
    File(PathBuf),
    /// One of an archive, and its name there: `tiles.npz#17`.
    Tile(PathBuf, Picture),
    /// What cannot be looked into.
    Problem(Error),
}

/// What takes images as they are found, until it wants no more.
pub(super) trait Sink {
    /// Takes one.
    fn push(&mut self, found: Found) -> ControlFlow<()>;
    /// The next may be long in coming.
    fn wait(&mut self) -> ControlFlow<()>;
}

/// What an argument names.
pub(super) enum Source {
    File(PathBuf),
    Archive(Images),
    Below(Below),
    /// A list of paths on standard input.
    List,
}

/// Files below a folder: those named as pictures, or those that match a pattern.
pub(super) struct Below {
    folder: PathBuf,
    pattern: Option<Pattern>,
}

/// What lies in folders and is not classified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Hidden files and folders.
    pub(super) hidden: usize,
    /// Files that are not named as pictures are.
    pub(super) others: usize,
}

/// How images are found.
#[derive(Clone)]
pub(super) struct Finder {
    /// What the network takes.
    pub(super) input: ImageShape,
    /// The array of images in archives, if it is named.
    pub(super) images_key: Option<String>,
    /// Whether files are sorted.
    pub(super) sorts: bool,
    /// The folders that are written to, by their [real](crate::place::real) paths, which are not read from.
    pub(super) written: Vec<PathBuf>,
}

impl Finder {
    /// What an argument names; of a folder or a pattern, one file at least.
    ///
    /// A file or folder of that name comes before a pattern.
    pub(super) fn find(&self, argument: &Path) -> Result<Source> {
        if argument.as_os_str() == "-" {
            return Ok(Source::List);
        }
        let source = match (argument.metadata(), pattern(argument)) {
            (Err(_), Some(text)) => Below::matching(text)
                .with_context(|| format!("cannot read the pattern {text}"))
                .map(Source::Below)?,
            _ => self.find_path(argument)?,
        };
        if let Source::Below(below) = &source {
            self.check(below, argument)?;
        }
        Ok(source)
    }

    /// What a path names that is no pattern.
    fn find_path(&self, path: &Path) -> Result<Source> {
        let cannot = || cannot_classify(path);
        if path.metadata().with_context(cannot)?.is_dir() {
            return Ok(Source::Below(Below { folder: path.to_owned(), pattern: None }));
        }
        if !is_archive(path) {
            return Ok(Source::File(path.to_owned()));
        }
        if self.sorts {
            return Err(exit::usage(format!(
                "{} cannot be sorted into folders, since its images are no files; leave it or \
                 --sort-into out",
                path.display()
            )));
        }
        let images = Images::open(path, self.images_key.as_deref())?;
        let ImageShape { side, channels } = self.input;
        if images.side() != side || images.channels() > channels {
            let described = |side: usize, channels: usize| {
                let colour = if channels == 1 { "grey" } else { "in colour" };
                format!("{side}x{side} pixels, {colour}")
            };
            bail!(
                "{}: its images are of {}; expected {}, or pictures in files of their own, which are \
                 prepared",
                path.display(),
                described(images.side(), images.channels()),
                described(side, channels)
            );
        }
        Ok(Source::Archive(images))
    }

    fn check(&self, below: &Below, argument: &Path) -> Result<()> {
        let argument = argument.display();
        if below.pattern.is_none() && self.is_written(&below.folder) {
            bail!("{argument} is where results are to be written; name another folder");
        }
        let mut left_out = LeftOut::default();
        if self.below(below, &mut left_out, &mut |_| ControlFlow::Break(())).is_break() {
            return Ok(());
        }
        if below.pattern.is_some() {
            bail!("{argument} names nothing: no file matches the pattern");
        }
        bail!(
            "{argument} holds no file that is named as a picture{}",
            match left_out {
                LeftOut { others: 0, .. } => String::new(),
                LeftOut { others, .. } => format!(
                    ", but {others} others; if these are pictures, name them one by one, or as \
                 '{argument}{MAIN_SEPARATOR}*'"
                ),
            }
        );
    }

    /// How many images a source names; nothing if that cannot be known.
    pub(super) fn count(&self, source: &Source) -> Option<u64> {
        match source {
            Source::File(_) => Some(1),
            Source::Archive(images) => Some(images.len() as u64),
            Source::Below(below) => {
                let mut count = 0;
                let _ = self.below(below, &mut LeftOut::default(), &mut |source| {
                    count += source.map_or(Some(1), |source| self.count(&source)).unwrap_or(1);
                    ControlFlow::Continue(())
                });
                Some(count)
            }
            Source::List => None,
        }
    }

    /// Hands out a source's images in their order: of folders that of the names' bytes, of archives and
    /// lists their own.
    pub(super) fn visit(
        &self,
        source: &Source,
        left_out: &mut LeftOut,
        sink: &mut dyn Sink,
    ) -> ControlFlow<()> {
        match source {
            Source::File(path) => sink.push(Found::File(path.clone())),
            Source::Archive(images) => tiles(images, sink),
            Source::Below(below) => self.below(below, left_out, &mut |source| match source {
                Ok(source) => self.visit(&source, &mut LeftOut::default(), sink),
                Err(error) => sink.push(Found::Problem(error)),
            }),
            Source::List => self.list(left_out, sink),
        }
    }

    fn list(&self, left_out: &mut LeftOut, sink: &mut dyn Sink) -> ControlFlow<()> {
        let mut paths = Paths::new(io::stdin().lock());
        loop {
            if !paths.at_hand() {
                sink.wait()?;
            }
            let source = match paths.next() {
                None => return ControlFlow::Continue(()),
                Some(Ok(path)) => self.find_path(&path),
                Some(Err(error)) => {
                    let error = Error::new(error).context("cannot read the list on standard input");
                    return sink.push(Found::Problem(error));
                }
            };
            match source {
                Ok(source) => self.visit(&source, left_out, sink)?,
                Err(error) => sink.push(Found::Problem(error))?,
            }
        }
    }

    /// Files, and of a pattern archives, or why they are none.
    fn below(
        &self,
        below: &Below,
        left_out: &mut LeftOut,
        each: &mut dyn FnMut(Result<Source>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut entries = below.entries().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    below
                        .problem(error)
                        .map_or(ControlFlow::Continue(()), |error| each(Err(error)))?;
                    continue;
                }
            };
            let is_folder = entry.file_type().is_dir();
            let is_hidden =
                below.pattern.is_none() && entry.depth() > 0 && is_clutter(entry.file_name());
            if is_hidden || (is_folder && self.is_written(entry.path())) {
                left_out.hidden += usize::from(is_hidden);
                if is_folder {
                    entries.skip_current_dir();
                }
            } else if !is_folder {
                let path = below.named(entry.path());
                if below.names(path) && entry.file_type().is_file() {
                    let is_archive = below.pattern.is_some() && is_archive(path);
                    each(if is_archive {
                        self.find_path(path)
                    } else {
                        Ok(Source::File(path.into()))
                    })?;
                } else {
                    left_out.others += usize::from(below.pattern.is_none());
                }
            }
        }
        ControlFlow::Continue(())
    }

    fn is_written(&self, folder: &Path) -> bool {
        !self.written.is_empty()
            && folder.canonicalize().is_ok_and(|folder| self.written.contains(&folder))
    }
}

/// How shells match names: `*` and `?` no separator, and no dot that a name begins with.
const AS_SHELLS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

impl Below {
    /// The files that match a pattern, which are looked for below the folder that it begins with.
    fn matching(text: &str) -> Result<Below> {
        let pattern = Pattern::new(text)?;
        let special = text.find(SPECIAL).unwrap_or(text.len());
        let folder = text[..special].rfind(is_separator).map_or("", |end| &text[..=end]);
        Ok(Below { folder: folder.into(), pattern: Some(pattern) })
    }

    fn entries(&self) -> WalkDir {
        let here = self.folder.as_os_str().is_empty();
        let folder = if here { Path::new(".") } else { &self.folder };
        let entries = WalkDir::new(folder).follow_links(true).sort_by_file_name();
        match &self.pattern {
            // No deeper than the pattern is.
            Some(pattern) if !pattern.as_str().contains("**") => {
                let prefix = self.folder.to_str().map_or(0, str::len);
                let rest = &pattern.as_str()[prefix..];
                entries.max_depth(1 + rest.matches(is_separator).count())
            }
            _ => entries,
        }
    }

    /// A path as the argument names it: without the dot for the folder that is not named.
    fn named<'a>(&self, path: &'a Path) -> &'a Path {
        match self.folder.as_os_str().is_empty() {
            true => path.strip_prefix(".").unwrap_or(path),
            false => path,
        }
    }

    /// What is wrong with an entry; nothing where it is a loop of links, all of which is found anyway, or a
    /// link to nothing that would not be classified.
    fn problem(&self, error: walkdir::Error) -> Option<Error> {
        let path = error.path().unwrap_or(&self.folder).to_owned();
        let absent = error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound);
        let to_nothing = (absent || path.is_symlink()) && !self.names(self.named(&path));
        if error.loop_ancestor().is_some() || to_nothing {
            return None;
        }
        let problem =
            error.into_io_error().map_or_else(|| Error::msg("it cannot be read"), Error::new);
        Some(problem.context(cannot_classify(&path)))
    }

    /// Whether a file of this path is to be classified.
    fn names(&self, path: &Path) -> bool {
        match &self.pattern {
            Some(pattern) => pattern.matches_with(&path.to_string_lossy(), AS_SHELLS),
            None => is_named(path),
        }
    }
}

/// What makes an argument a pattern.
const SPECIAL: [char; 3] = ['*', '?', '['];

fn pattern(argument: &Path) -> Option<&str> {
    argument.to_str().filter(|text| text.contains(SPECIAL))
}

fn is_archive(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default();
    ["npz", "npy"].iter().any(|known| ending.eq_ignore_ascii_case(known))
}

fn tiles(images: &Images, sink: &mut dyn Sink) -> ControlFlow<()> {
    let mut index = 0;
    let mut flow = ControlFlow::Continue(());
    let read = images.read(&mut |pixels| {
        let mut name = images.path().as_os_str().to_owned();
        name.push(format!("#{index}"));
        index += 1;
        let (side, channels) = (images.side(), images.channels());
        let picture = Picture { pixels: pixels.to_vec(), width: side, height: side, channels };
        flow = sink.push(Found::Tile(name.into(), picture));
        flow
    });
    match read {
        Err(error) => sink.push(Found::Problem(error.into())),
        Ok(()) => flow,
    }
}

pub(super) fn cannot_classify(path: &Path) -> String {
    format!("cannot classify {}", inline(&path.display().to_string()))
}

impl std::fmt::Display for LeftOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let LeftOut { hidden, others } = self;
        match (others, hidden) {
            (_, 0) => write!(f, "{others} not named as pictures"),
            (0, _) => write!(f, "{hidden} hidden"),
            _ => write!(f, "{others} not named as pictures, {hidden} hidden"),
        }
    }
}
