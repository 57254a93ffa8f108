//! Whole protocols by name.

use crate::config::ConfigFile;
use crate::settings::Settings;
use std::path::Path;

/// A protocol: settings in the form of a configuration file, whose first line says what they are for.
///
/// ```
/// use fashion_train::{Recipe, Validation};
///
/// let report = Recipe::named("report").expect("a recipe");
/// assert_eq!(report.settings().validation, Validation::Test);
/// for recipe in Recipe::ALL {
///     println!("{}: {}", recipe.name, recipe.purpose());
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Its name, which is its file's.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// The recipes with these names.
macro_rules! recipes {
    ($($name:literal),+) => {
        &[$(Recipe { name: $name, text: include_str!(concat!("recipes/", $name, ".toml")) }),+]
    };
}

impl Recipe {
    /// All of them, the quickest first.
    pub const ALL: &[Recipe] = recipes!["report", "report-tuned", "quick", "best", "long"];

    /// The one with this name.
    pub fn named(name: &str) -> Option<Recipe> {
        Recipe::ALL.iter().find(|recipe| recipe.name == name).copied()
    }

    /// What it is for, in a line.
    pub fn purpose(self) -> &'static str {
        self.text.lines().next().unwrap_or_default().trim_start_matches(['#', ' '])
    }

    /// The settings; what the file leaves out is as by default.
    pub fn settings(self) -> Settings {
        let path = Path::new(self.name);
        let settings = ConfigFile::parse(self.text, path)
            .and_then(|file| file.settings(&Settings::default(), path));
        settings.expect("a test reads every recipe")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_can_be_read_and_says_what_it_is_for() {
        for recipe in Recipe::ALL {
            recipe.settings().check().unwrap();
            assert!(
                recipe.text.starts_with("# ") && recipe.purpose().len() > 20,
                "{}",
                recipe.name
            );
            assert_eq!(Recipe::named(recipe.name), Some(*recipe));
        }
    }
}
