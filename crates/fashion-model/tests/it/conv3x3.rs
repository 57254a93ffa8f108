//! A residual network composed of [`Conv3x3`] in dfdx's style, as a program outside would do it.

use dfdx::optim::{Adam, AdamConfig};
use dfdx::prelude::*;
use fashion_model::{Conv3x3, Dense, cross_entropy, values};

type Block = (
    Conv3x3<1, 16, 7, 4, true>,
    Residual<(Conv3x3<16, 16, 4, 4, true>, Conv3x3<16, 16, 4, 4, false>)>,
    ReLU,
);

/// Reproducible numbers in −1 to 1, as the script has them.
fn numbers(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| (((i * 7919 + seed * 104_729) % 2003) as f32 - 1001.0) / 1001.0).collect()
}

fn set<S: Shape>(tensor: &mut Tensor<S, f32, Cpu>, seed: usize, scale: f32) {
    let values = numbers(tensor.shape().num_elements(), seed);
    tensor.copy_from(&values.iter().map(|v| v * scale).collect::<Vec<_>>());
}

fn network() -> Block {
    let mut network = Block::build(&Cpu::default());
    let (first, Residual((second, third)), _) = &mut network;
    set(&mut first.weight, 1, 0.5);
    set(&mut first.bias, 2, 0.5);
    set(&mut second.weight, 3, 0.125);
    set(&mut second.bias, 4, 0.125);
    set(&mut third.weight, 5, 0.125);
    set(&mut third.bias, 6, 0.125);
    network
}

/// Grey images, channels last.
type Images<const SIDE: usize> = Tensor<(usize, Const<SIDE>, Const<SIDE>, Const<1>), f32, Cpu>;

fn images(n: usize) -> Images<7> {
    Cpu::default().tensor_from_vec(numbers(n * 49, 0), (n, Const, Const, Const))
}

/// The mean square of the outputs, the outputs, and the gradients of the parameters and the images.
fn pass(network: &Block, n: usize) -> (f32, Vec<Vec<f32>>) {
    let x = images(n);
    let y = network.forward(x.leaky_trace());
    let out = y.as_vec();
    let loss = y.square().mean();
    let value = loss.array();
    let gradients = loss.backward();
    let (first, Residual((second, third)), _) = network;
    let all = vec![
        out,
        values(&gradients.get(&first.weight)).to_vec(),
        values(&gradients.get(&first.bias)).to_vec(),
        values(&gradients.get(&second.weight)).to_vec(),
        values(&gradients.get(&second.bias)).to_vec(),
        values(&gradients.get(&third.weight)).to_vec(),
        values(&gradients.get(&third.bias)).to_vec(),
        values(&gradients.get(&x)).to_vec(),
    ];
    (value, all)
}

/// ```python
/// def values(n, seed):
///     k = (np.arange(n, dtype=np.int64) * 7919 + seed * 104729) % 2003 - 1001
///     return torch.from_numpy((k / 1001).astype(np.float32)).double()
/// def parameters(o, i, seed, scale):
///     w = (values(o*i*9, seed).reshape(o, i, 3, 3) * scale).requires_grad_()
///     return w, (values(o, seed + 1) * scale).requires_grad_()
/// x = values(3*49, 0).reshape(3, 1, 7, 7).requires_grad_()
/// (w1, b1), (w2, b2), (w3, b3) = parameters(16, 1, 1, 0.5), parameters(16, 16, 3, 0.125), parameters(16, 16, 5, 0.125)
/// h = F.relu(F.conv2d(x, w1, b1, stride=2, padding=1))
/// y = F.relu(h + F.conv2d(F.relu(F.conv2d(h, w2, b2, padding=1)), w3, b3, padding=1))
/// loss = y.square().mean()
/// loss.backward()
/// print(loss.item())
/// for v in (y.permute(0, 2, 3, 1), w1.grad, b1.grad, w2.grad, b2.grad, w3.grad, b3.grad, x.grad):
///     print(v.flatten()[:8].tolist(), v.abs().sum().item())
/// ```
#[rustfmt::skip]
const EXPECTED: [([f64; 8], f64); 8] = [
    ([0.519602913, 0.310372724, 0.0, 0.0116400092, 0.144326408, 0.850589005, 0.0, 0.106638512], 169.25649418466466),
    ([0.00329486894, -0.00172774005, -0.00504954576, -0.0235701076, -0.0361047124, -0.0295390021, 0.0223010597, 0.0232022944], 1.022134951080663),
    ([0.0594513794, 0.0228475452, 0.00720239045, 0.0264309643, 0.0215615648, 0.0317308507, 0.0090139283, 0.0106483697], 0.41928873953332924),
    ([-0.00349714498, -0.00437517841, -0.00275442505, -0.00404940898, -0.00344522586, -0.00105544103, -1.14378775e-05, -0.00261724996], 6.3069906679826895),
    ([-0.0115823067, 0.0267010146, 0.00280343997, 0.00348238349, 0.0256835632, -0.00938886125, 0.0209752624, -0.0304482711], 0.250050324831511),
    ([0.00274470303, 0.00212567865, 0.00027747692, 0.00236259871, 0.0029610863, 0.00223089306, 0.00400617487, 0.0063476782], 8.67256639483558),
    ([0.0589448405, 0.0237569972, 0.0171059863, 0.031644829, 0.0209955783, 0.0250582621, 0.0220517309, 0.0233246019], 0.4407721202725642),
    ([-0.00102054157, 0.00680731211, 0.00547744574, 0.00967622668, 0.00435222382, 0.00573579904, 0.00178863588, 0.00107613062], 0.5063961590168741),
];

#[test]
fn outputs_and_gradients_match_pytorch() {
    let (loss, all) = pass(&network(), 3);
    assert!((loss - 0.147_512_75).abs() < 1e-6, "{loss}");
    for (which, (got, (first, sum))) in all.iter().zip(&EXPECTED).enumerate() {
        let largest = got.iter().fold(0.0, |m: f64, &v| m.max(f64::from(v).abs()));
        for (&got, wanted) in got.iter().zip(first) {
            let error = (f64::from(got) - wanted).abs();
            assert!(error <= 2e-6 * largest, "{which}: {got} not {wanted}");
        }
        let total: f64 = got.iter().map(|&v| f64::from(v).abs()).sum();
        assert!((total / sum - 1.0).abs() < 1e-5, "{which}: {total} not {sum}");
    }
}

#[test]
fn without_a_tape_the_outputs_are_the_same() {
    let network = network();
    let y = network.forward(images(3));
    assert_eq!(values(&y).to_vec(), pass(&network, 3).1[0]);
}

#[test]
fn gradients_match_finite_differences() {
    const STEP: f32 = 1.0 / 2048.0;
    let network = network();
    let (_, all) = pass(&network, 2);
    let loss = |network: &Block, x: &[f32]| {
        let x = Cpu::default().tensor_from_vec(x.to_vec(), (2usize, Const, Const, Const));
        let y: Tensor<(usize, Const<4>, Const<4>, Const<16>), f32, Cpu> = network.forward(x);
        values(&y).iter().map(|&y| f64::from(y).powi(2)).sum::<f64>() / 512.0
    };
    let x = numbers(2 * 49, 0);
    // A few sums cross ReLU's kink within a step: the differences are judged together.
    let close = |what: &str, slopes: &[f64], gradients: &[f32]| {
        let pairs = slopes.iter().zip(gradients);
        let error: f64 = pairs.map(|(&s, &g)| (s - f64::from(g)).powi(2)).sum();
        let size: f64 = slopes.iter().map(|s| s * s).sum();
        assert!(error < 1e-4 * size, "{what}: off by {} of {}", error.sqrt(), size.sqrt());
    };
    let slope = |loss: &dyn Fn(f32) -> f64| (loss(STEP) - loss(-STEP)) / f64::from(2.0 * STEP);
    let of_x = |i: usize| {
        slope(&|by| {
            let mut x = x.clone();
            x[i] += by;
            loss(&network, &x)
        })
    };
    close("x", &(0..x.len()).map(of_x).collect::<Vec<_>>(), &all[7]);
    let of_weight = |i: usize| {
        slope(&|by| {
            let mut network = network.clone();
            let weight = &mut network.1.0.0.weight;
            let mut w = values(weight).to_vec();
            w[i] += by;
            weight.copy_from(&w);
            loss(&network, &x)
        })
    };
    let some: Vec<usize> = (0..all[3].len()).step_by(7).collect();
    let slopes: Vec<f64> = some.iter().map(|&i| of_weight(i)).collect();
    close("weight", &slopes, &some.iter().map(|&i| all[3][i]).collect::<Vec<_>>());
}

#[test]
fn the_gradient_of_the_output_stays_where_it_was() {
    let (first, ..) = network();
    let y = first.forward(images(3).leaky_trace());
    let out = y.retaped::<NoneTape>();
    let gradients = y.sum().backward();
    let expected: Vec<f32> =
        out.as_vec().into_iter().map(|y| if y > 0.0 { 1.0 } else { 0.0 }).collect();
    assert_eq!(gradients.get(&out).as_vec(), expected);
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let network = network();
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (_, all) = pool.install(|| pass(&network, 37));
        all.concat().into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    let one = bits(1);
    [2, 3, 8].into_iter().for_each(|threads| assert!(bits(threads) == one, "{threads} threads"));
}

/// Horizontal stripes (class 0) or vertical ones, each image with a phase of its own, and noise.
fn stripes(n: usize) -> (Images<8>, Vec<usize>) {
    let noise = numbers(n * 64, 9);
    let labels: Vec<usize> = (0..n).map(|i| i % 2).collect();
    let pixel = |at: usize| {
        let (image, row, column) = (at / 64, at / 8 % 8, at % 8);
        let along = if image % 2 == 0 { row } else { column };
        ((along + image / 2) / 2 % 2) as f32 + 0.3 * noise[at]
    };
    let pixels = (0..n * 64).map(pixel).collect();
    (Cpu::default().tensor_from_vec(pixels, (n, Const, Const, Const)), labels)
}

#[test]
fn a_network_of_two_layers_learns() {
    type Network = ((Conv3x3<1, 16, 8, 8, true>, Conv3x3<16, 16, 8, 4, true>), Dense<16, 2, false>);
    let device = Cpu::default();
    let mut network = Network::build(&device);
    set(&mut network.0.0.weight, 1, 0.5);
    set(&mut network.0.1.weight, 2, 0.2);
    set(&mut network.1.weight, 3, 0.4);
    let mut adam = Adam::new(&network, AdamConfig { lr: 1e-2, ..AdamConfig::default() });
    let (x, labels) = stripes(64);
    let targets = labels.iter().flat_map(|&l| [(1 - l) as f32, l as f32]).collect();
    let targets: Tensor<(usize, Const<2>), f32, Cpu> = device.tensor_from_vec(targets, (64, Const));
    let mut losses = Vec::new();
    let mut right = 0;
    for _ in 0..40 {
        let features = network.0.forward(x.leaky_trace());
        let pooled: Tensor<(usize, Const<16>), f32, Cpu, _> = features.mean::<_, Axes2<1, 2>>();
        let logits = network.1.forward(pooled);
        let rows = logits.as_vec();
        right = rows.chunks(2).zip(&labels).filter(|(z, l)| (z[1] > z[0]) == (**l == 1)).count();
        let loss = cross_entropy(logits, &targets).unwrap();
        losses.push(loss.array());
        adam.update(&mut network, &loss.backward()).unwrap();
    }
    assert_eq!(right, 64, "{losses:?}");
    assert!(losses[39] < 0.1 * losses[0], "{losses:?}");
}
