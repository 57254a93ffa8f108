//! The networks that are measured.

/// One of them.
pub(crate) struct Network {
    /// As `fashion networks` has it.
    pub(crate) name: &'static str,
    /// Whether its images are those of Fashion-MNIST, and not larger ones in colour.
    pub(crate) garments: bool,
    /// Multiply-adds of an image, of the layer that has the pixels.
    first: usize,
    /// And of all others.
    rest: usize,
}

/// All of them.
pub(crate) const NETWORKS: [Network; 4] = [
    Network {
        name: "report-cnn",
        garments: true,
        first: 26 * 26 * 9 * 32,
        rest: 11 * 11 * 9 * 32 * 64 + 1600 * 128 + 128 * 10,
    },
    Network {
        name: "vgg",
        garments: true,
        first: 28 * 28 * 9 * 32,
        rest: 14 * 14 * 9 * (32 + 48) * 48 + 7 * 7 * 9 * (48 + 96) * 96 + 96 * 10,
    },
    Network {
        name: "resnet",
        garments: true,
        first: 28 * 28 * 9 * 16,
        rest: 28 * 28 * 4 * 9 * 16 * 16 + stage(14, 32) + stage(7, 64) + 64 * 10,
    },
    Network {
        name: "resnet-64",
        garments: false,
        first: 32 * 32 * 9 * 3 * 16,
        rest: 32 * 32 * 4 * 9 * 16 * 16 + stage(16, 32) + stage(8, 64) + stage(4, 128) + 128 * 10,
    },
];

/// Multiply-adds of two residual blocks, the first of which halves sides and doubles channels.
const fn stage(side: usize, width: usize) -> usize {
    side * side * (9 * width / 2 + 3 * 9 * width + width / 2) * width
}

impl Network {
    /// Multiply-adds to classify an image, by direct arithmetic.
    pub(crate) fn forward(&self) -> f64 {
        (self.first + self.rest) as f64
    }

    /// Those of a training step: forward, the gradient of the weights and that of the inputs, of which
    /// the pixels need none.
    pub(crate) fn training(&self) -> f64 {
        (2 * self.first + 3 * self.rest) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_have_the_same_networks() {
        let common = include_str!("../../bench-peers/common.py");
        let named =
            common.lines().filter(|line| line.starts_with("    \"") && line.ends_with("),"));
        let named: Vec<_> = named.filter_map(|line| line.split('"').nth(1)).collect();
        assert_eq!(named, NETWORKS.map(|network| network.name));
    }

    /// As forward hooks count them on the convolutions and dense layers of PyTorch's modules.
    #[test]
    fn work_is_counted_in_multiply_adds() {
        let counted = NETWORKS.map(|network| network.forward());
        assert_eq!(counted, [2_631_040.0, 13_096_896.0, 20_183_936.0, 35_046_656.0]);
    }
}
