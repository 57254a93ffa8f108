//! Schedules are PyTorch's, and hold at the edges.

use fashion_train::{Epoch, Schedule, ScheduleKind};

/// Steps of an epoch.
const STEPS: usize = 4;

fn schedule(kind: ScheduleKind, warmup_epochs: f64) -> Schedule {
    Schedule {
        kind,
        learning_rate: 0.01,
        warmup_epochs,
        decay_factor: 0.3,
        step_epochs: 2,
        plateau_patience: 1,
        min_learning_rate: if kind == ScheduleKind::Cosine { 0.001 } else { 0.0 },
        one_cycle_rise: 0.3,
        epochs: 3,
    }
}

fn rates(schedule: &Schedule) -> Vec<f64> {
    let steps = schedule.epochs * STEPS;
    (0..steps as u64).map(|step| schedule.rate(step, STEPS, 0)).collect()
}

#[track_caller]
fn assert_near(rates: &[f64], expected: &[f64]) {
    assert_eq!(rates.len(), expected.len());
    for (step, (rate, expected)) in rates.iter().zip(expected).enumerate() {
        assert!((rate - expected).abs() <= 1e-12 * expected, "{step}: {rate}, not {expected}");
    }
}

// from torch import zeros
// from torch.optim import SGD
// from torch.optim.lr_scheduler import *
// def rates(make, w, steps=12):
//     optimizer = SGD([zeros(1)], lr=0.01)
//     if w > 0:
//         warmup = LinearLR(optimizer, start_factor=1 / w, total_iters=w - 1)
//         scheduler = SequentialLR(optimizer, [warmup, make(optimizer)], [w])
//     else:
//         scheduler = make(optimizer)
//     for step in range(steps):
//         print(optimizer.param_groups[0]["lr"])
//         optimizer.step()
//         if step + 1 < steps: scheduler.step()
// for w in (0, 3):
//     rates(lambda o: ConstantLR(o, 1.0), w)
//     rates(lambda o: StepLR(o, 2 * 4, 0.3), w)
//     rates(lambda o: StepLR(o, 4, 0.3), w)  # ExponentialLR(o, 0.3), stepped every fourth step
//     rates(lambda o: CosineAnnealingLR(o, 12 - w, 0.001), w)
//     rates(lambda o: OneCycleLR(o, 0.01, 12 - w, pct_start=0.3, cycle_momentum=False), w)
#[test]
fn rates_are_those_of_pytorch() {
    let expected = [
        (ScheduleKind::Constant, [0.01; 12]),
        (
            ScheduleKind::Step,
            [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.003],
        ),
        (
            ScheduleKind::Exponential,
            [0.01, 0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.003, 0.0009, 0.0009, 0.0009, 0.0009],
        ),
        (
            ScheduleKind::Cosine,
            [
                0.01,
                0.009846666218300808,
                0.009397114317029977,
                0.008681980515339464,
                0.007750000000000001,
                0.006664685702961345,
                0.0055000000000000005,
                0.004335314297038657,
                0.003250000000000001,
                0.0023180194846605367,
                0.001602885682970026,
                0.001153333781699193,
            ],
        ),
        (
            ScheduleKind::OneCycle,
            [
                0.0003999999999999993,
                0.0034978965421958302,
                0.008792851591221286,
                0.009944154354509118,
                0.009330129698414118,
                0.00811745653949763,
                0.006473789976951033,
                0.00462637102666975,
                0.0028306099820869924,
                0.001334775301888306,
                0.0003456698742539522,
                4e-08,
            ],
        ),
    ];
    for (kind, expected) in expected {
        assert_near(&rates(&schedule(kind, 0.0)), &expected);
    }
}

#[test]
fn rates_with_warm_up_are_those_of_pytorch() {
    let expected = [
        (ScheduleKind::Constant, [0.01; 9]),
        (ScheduleKind::Step, [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.003]),
        (ScheduleKind::Exponential, [0.01, 0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.003, 0.0009]),
        (
            ScheduleKind::Cosine,
            [
                0.010000000000000002,
                0.00972861679353659,
                0.008947199994035402,
                0.007750000000000001,
                0.006281416799501188,
                0.004718583200498814,
                0.003250000000000001,
                0.0020528000059645995,
                0.0012713832064634126,
            ],
        ),
        (
            ScheduleKind::OneCycle,
            [
                0.0003999999999999993,
                0.006513582352345998,
                0.009944154354509118,
                0.008985666593464468,
                0.007056447289910997,
                0.00462637102666975,
                0.002287299531596481,
                0.0006089296975803241,
                4e-08,
            ],
        ),
    ];
    for (kind, expected) in expected {
        let warmup = match kind {
            ScheduleKind::OneCycle => [0.00013333333333333334, 0.0002666666666666667, 0.0004],
            _ => [0.003333333333333333, 0.006666666666666666, 0.009999999999999998],
        };
        // 0.7 epochs of four steps are 2.8.
        for epochs in [0.75, 0.7] {
            let rates = rates(&schedule(kind, epochs));
            assert_near(&rates, &[&warmup[..], &expected].concat());
        }
    }
}

// As above: rates(lambda o: OneCycleLR(o, 0.01, 12, pct_start=rise, cycle_momentum=False), 0)
// for rise in (0.0, 1.0), and with the total 1, rise 0.3 and steps=1.
#[test]
fn one_cycle_may_only_fall_or_only_rise() {
    let with_rise = |rise, warmup| Schedule {
        one_cycle_rise: rise,
        ..schedule(ScheduleKind::OneCycle, warmup)
    };
    let falling = [
        0.009829629812928816,
        0.00933012969841412,
        0.008535539763797114,
        0.00750001,
        0.006294110049131702,
        0.00500002,
        0.0037059299508682983,
        0.0025000300000000016,
        0.0014645002362028865,
        0.0006699103015858822,
        0.00017041018707118479,
        4e-08,
    ];
    assert_near(&rates(&with_rise(0.0, 0.0)), &falling);
    let rising = [
        0.0003999999999999993,
        0.0005944337266504118,
        0.0011619830424103288,
        0.00205666847706263,
        0.0032060079375909444,
        0.00451688877628823,
        0.005883111223711768,
        0.007193992062409054,
        0.008343331522937368,
        0.00923801695758967,
        0.009805566273349588,
        0.01,
    ];
    assert_near(&rates(&with_rise(1.0, 0.0)), &rising);
    assert_near(&[Schedule { epochs: 1, ..with_rise(0.3, 0.0) }.rate(0, 1, 0)], &[4e-08]);

    // Before a cycle that only falls, the warm-up is the rise.
    let warmed = rates(&with_rise(0.0, 0.75));
    assert!(warmed.iter().all(|&rate| rate <= warmed[2]));
    assert_eq!(warmed[2], 0.01);
    // Rises of one step, for which PyTorch divides by zero.
    assert_eq!(rates(&with_rise(1.0 / 12.0, 0.0))[0], 0.01);
    assert_eq!(Schedule { epochs: 1, ..with_rise(1.0, 0.0) }.rate(0, 1, 0), 0.01);
}

#[test]
fn a_warm_up_longer_than_the_run_is_all_there_is() {
    for kind in ScheduleKind::ALL {
        let schedule = schedule(kind, 6.0);
        let top = if kind == ScheduleKind::OneCycle { 0.0004 } else { 0.01 };
        let expected: Vec<f64> = (1..=12).map(|s| top * f64::from(s) / 24.0).collect();
        assert_near(&rates(&schedule), &expected);
    }
}

#[test]
fn every_rate_is_a_number_whatever_the_settings() {
    for kind in ScheduleKind::ALL {
        // A single step; steps that no run has; a schedule that is shorter than its stairs.
        let one = Schedule { epochs: 1, step_epochs: 99, ..schedule(kind, 0.0) };
        let first = if kind == ScheduleKind::OneCycle { 4e-8 } else { 0.01 };
        assert_near(&[one.rate(0, 1, 0)], &[first]);
        for warmup_epochs in [0.0, 0.1, 1.0, 1e300] {
            for (epochs, steps, step_epochs) in [(0, 0, 0), (1, 1, 9), (3, 4, 1)] {
                let schedule = Schedule { epochs, step_epochs, ..schedule(kind, warmup_epochs) };
                for step in [0, 1, 11, 12, 1000, u64::MAX - 1] {
                    let rate = schedule.rate(step, steps, 5);
                    assert!((0.0..=0.01).contains(&rate), "{schedule:?}, {step}: {rate}");
                }
            }
        }
    }
    let stairs = Schedule { step_epochs: 99, ..schedule(ScheduleKind::Step, 0.0) };
    assert_eq!(rates(&stairs), [0.01; 12]);
}

#[test]
fn decays_end_at_the_minimum() {
    for kind in [ScheduleKind::Step, ScheduleKind::Exponential, ScheduleKind::Plateau] {
        let schedule = Schedule { min_learning_rate: 0.005, step_epochs: 1, ..schedule(kind, 0.0) };
        assert_eq!(schedule.rate(0, STEPS, 0), 0.01);
        assert_eq!(schedule.rate(8, STEPS, 2), 0.005);
    }
}

#[test]
fn a_run_is_the_beginning_of_a_longer_one_unless_it_depends_on_its_length() {
    for kind in ScheduleKind::ALL {
        let short = schedule(kind, 0.5);
        let long = Schedule { epochs: 5, ..short };
        let same = rates(&short) == rates(&long)[..12];
        assert_eq!(same, !short.depends_on_epochs(), "{kind}");
    }
}

fn epochs(losses: &[Option<f64>]) -> Vec<Epoch> {
    let epoch = |(at, &validation_loss): (usize, &Option<f64>)| Epoch {
        epoch: at + 1,
        learning_rate: 0.01,
        train_loss: 0.5,
        train_accuracy: 0.8,
        validation_loss,
        validation_accuracy: validation_loss.map(|_| 0.8),
    };
    losses.iter().enumerate().map(epoch).collect()
}

const LOSSES: [f64; 17] = [
    1.0, 0.9, 0.89995, 0.95, 0.8, 0.85, 0.8, 0.79995, 0.79991, 0.79, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8,
    0.8,
];

// def plateau(patience, factor, min_lr, lr):
//     optimizer = SGD([zeros(1)], lr=lr)
//     scheduler = ReduceLROnPlateau(optimizer, factor=factor, patience=patience, min_lr=min_lr)
//     for loss in LOSSES:
//         scheduler.step(loss)
//         print(optimizer.param_groups[0]["lr"])
#[test]
fn plateaus_reduce_when_pytorch_does() {
    let history = epochs(&LOSSES.map(Some));
    // Patience, factor, minimum and rate, and the rate after each epoch.
    let expected = [
        (
            (2, 0.1, 0.0, 0.01),
            [
                0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001,
                0.0001, 0.0001, 0.0001, 1e-05, 1e-05,
            ],
        ),
        (
            (1, 0.1, 0.0, 0.01),
            [
                0.01,
                0.01,
                0.01,
                0.001,
                0.001,
                0.001,
                0.0001,
                0.0001,
                0.0001,
                0.0001,
                0.0001,
                1e-05,
                1e-05,
                1.0000000000000002e-06,
                1.0000000000000002e-06,
                1.0000000000000002e-07,
                1.0000000000000002e-07,
            ],
        ),
        (
            (0, 0.1, 0.0, 0.01),
            [
                0.01,
                0.01,
                0.001,
                0.0001,
                0.0001,
                1e-05,
                1.0000000000000002e-06,
                1.0000000000000002e-07,
                1.0000000000000002e-07,
                1.0000000000000002e-07,
                1.0000000000000004e-08,
                1.0000000000000004e-08,
                1.0000000000000004e-08,
                1.0000000000000004e-08,
                1.0000000000000004e-08,
                1.0000000000000004e-08,
                1.0000000000000004e-08,
            ],
        ),
        (
            (1, 0.3, 0.002, 0.01),
            [
                0.01, 0.01, 0.01, 0.003, 0.003, 0.003, 0.002, 0.002, 0.002, 0.002, 0.002, 0.002,
                0.002, 0.002, 0.002, 0.002, 0.002,
            ],
        ),
        (
            (0, 0.1, 0.0, 1e-6),
            [
                1e-06, 1e-06, 1e-07, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08, 1e-08,
                1e-08, 1e-08, 1e-08, 1e-08, 1e-08,
            ],
        ),
    ];
    for ((patience, decay_factor, min_learning_rate, learning_rate), expected) in expected {
        let schedule = Schedule {
            plateau_patience: patience,
            decay_factor,
            min_learning_rate,
            learning_rate,
            ..schedule(ScheduleKind::Plateau, 0.0)
        };
        let after = |epoch: usize| {
            let reductions = schedule.reductions(&history[..epoch]);
            schedule.rate((epoch * STEPS) as u64, STEPS, reductions)
        };
        assert_near(&(1..=17).map(after).collect::<Vec<_>>(), &expected);
    }
}

#[test]
fn only_a_plateau_reduces_and_only_after_validated_epochs_beyond_the_warm_up() {
    let history = epochs(&LOSSES.map(Some));
    for kind in ScheduleKind::ALL {
        let reduces = schedule(kind, 0.0).reductions(&history) > 0;
        assert_eq!(reduces, kind == ScheduleKind::Plateau);
    }
    let plateau = schedule(ScheduleKind::Plateau, 0.0);
    assert_eq!(plateau.reductions(&[]), 0);
    let rising = [Some(0.5), Some(0.6), None, None, Some(0.7)];
    assert_eq!(plateau.reductions(&epochs(&rising[..4])), 0);
    assert_eq!(plateau.reductions(&epochs(&rising)), 1);
    // Two epochs of warm-up, so that the third has the first loss that counts.
    let rising = [0.5, 0.6, 0.7, 0.8, 0.9].map(Some);
    let warmed = schedule(ScheduleKind::Plateau, 2.0);
    assert_eq!(warmed.reductions(&epochs(&rising[..4])), 0);
    assert_eq!(warmed.reductions(&epochs(&rising)), 1);
}

#[test]
fn kinds_are_read_as_they_are_written() {
    for kind in ScheduleKind::ALL {
        let text = kind.to_string();
        assert_eq!(text.parse::<ScheduleKind>().unwrap(), kind);
        let json = serde_json::to_string(&kind).unwrap();
        assert_eq!(json, format!("{text:?}"));
        assert_eq!(serde_json::from_str::<ScheduleKind>(&json).unwrap(), kind);
        for error in [
            "Cosine".parse::<ScheduleKind>().unwrap_err().to_string(),
            serde_json::from_str::<ScheduleKind>("\"Cosine\"").unwrap_err().to_string(),
        ] {
            assert!(error.contains("\"Cosine\"") && error.contains(&text), "{error}");
        }
    }
}
