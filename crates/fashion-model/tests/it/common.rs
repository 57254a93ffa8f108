//! Numbers that a script can make too, and what networks say of themselves.

use fashion_model::{CpuGradients, Network};

/// As in the scripts.
pub(crate) fn values(n: usize, seed: usize) -> Vec<f32> {
    let k = |i: usize| (i * 7919 + i * i % 1009 * 613 + seed * 104_729) % 2003;
    (0..n).map(|i| (k(i) as f32 - 1001.0) / 1001.0).collect()
}

/// The gradients of all that is trained, in PyTorch's layout.
pub(crate) fn gradients_by_name(
    network: &Network,
    gradients: &mut CpuGradients,
) -> Vec<(String, Vec<f32>)> {
    let mut all = Vec::new();
    network
        .for_each_gradient(gradients, &mut |parameter, gradient| {
            all.push((parameter.name.clone(), parameter.to_file_layout(gradient.to_vec())));
        })
        .unwrap();
    all
}
