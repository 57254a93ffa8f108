//! How settings are declared: each once, with all that is known of it.

use super::Settings;
use super::text::{value_from_text, value_to_text};
use toml::Value;

/// What a setting has to do with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The run as a whole.
    Run,
    /// How parameters follow from gradients.
    Optimiser,
    /// How the learning rate changes.
    Schedule,
    /// What is made small.
    Loss,
    /// How training images are changed at random.
    Augmentation,
    /// What is taken over from other trainings.
    Transfer,
    /// Which weights are kept, and when training stops.
    Keeping,
}

/// What is known of a setting, apart from its value.
#[derive(Debug)]
pub struct Setting {
    /// Its name in files, which is the field's.
    pub name: &'static str,
    /// What it does.
    pub help: &'static str,
    /// A word for its value, such as `RATE`.
    pub placeholder: &'static str,
    /// What it has to do with.
    pub group: Group,
    /// What must hold of it and of what goes with it, each with what is expected where it does not.
    /// The first one is about the value alone.
    pub(super) rules: &'static [Rule],
}

/// What must hold, and what is expected where it does not.
pub(super) type Rule = (fn(&Settings) -> bool, &'static str);

impl Setting {
    /// Reads a value as people write it on a command line: `0.001`, `64`, `cosine`, `none`. Its range
    /// is left to [`Settings::check`].
    ///
    /// ```
    /// use fashion_train::Settings;
    /// let epochs = Settings::all().iter().find(|setting| setting.name == "epochs").unwrap();
    /// assert_eq!(epochs.parse("20"), Ok(20.into()));
    /// assert_eq!(epochs.parse("many"), Err("expected at least 1".to_owned()));
    /// ```
    ///
    /// # Errors
    /// What is expected, where it is no value of this setting.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        let read = |value| Settings::canonical(self.name, &value, "".as_ref());
        // What is text stays as it is: a folder may be called 001.
        let value = read(text.trim().into()).or_else(|_| read(value_from_text(text)));
        value.map_err(|_| format!("expected {}", self.rules[0].1))
    }

    /// The default as people write it; nothing where there is none.
    pub fn default(&self) -> Option<String> {
        let value = Settings::default().to_table().remove(self.name)?;
        let absent = ["target_accuracy", "bins", "from", "freeze", "teacher"].contains(&self.name);
        (!absent).then(|| value_to_text(&value))
    }
}

/// Declares the settings: struct, defaults, and the list of [`Setting`]s, from one line of each.
macro_rules! settings {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $Settings:ident;
        $(
            $(#[doc = $help:literal])+
            $(#[serde($($serde:tt)+)])?
            $group:ident $name:ident: $Type:ty = $default:expr, $placeholder:literal,
            $($rule:expr => $expected:expr),+;
        )+
    ) => {
        $(#[$attribute])*
        $visibility struct $Settings {
            $(
                $(#[doc = $help])+
                $(#[serde($($serde)+)])?
                pub $name: $Type,
            )+
        }

        impl Default for $Settings {
            /// The report's, but validated on a tenth of the training set.
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl $Settings {
            /// What is known of each setting, in the order of the struct.
            pub fn all() -> &'static [Setting] {
                const ALL: &[Setting] = &[$(Setting {
                    name: stringify!($name),
                    help: concat!($($help),+).trim_ascii_start(),
                    placeholder: $placeholder,
                    group: Group::$group,
                    rules: &[$(($rule, $expected)),+],
                },)+];
                ALL
            }
        }
    };
}

pub(super) use settings;
