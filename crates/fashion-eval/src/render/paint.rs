//! Colours of a terminal, where they are wanted.

/// Marks text with ANSI escape sequences, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint {
    pub(crate) colour: bool,
}

impl Paint {
    pub(crate) fn bold(self, text: &str) -> String {
        self.mark("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.mark("2", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.mark("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.mark("31", text)
    }

    fn mark(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
