//! A steady step works in memory that it already has: nothing is given back to the system and asked
//! for again. Linux alone says how often a process had to be given a page.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

use fashion_data::Splits;
use fashion_model::Architecture;
use fashion_train::{Settings, Trainer, Validation, with_threads};

/// Pages that this process has been given without reading a file (`proc_pid_stat(5)`, field 10).
fn page_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    stat.rsplit_once(')').unwrap().1.split_whitespace().nth(7).unwrap().parse().unwrap()
}

#[test]
fn a_steady_step_causes_no_page_faults() {
    for (network, batch_size, steps) in
        [(Architecture::ReportCnn, 128, 50), (Architecture::Resnet, 16, 20)]
    {
        steady(network, batch_size, steps);
    }
}

fn steady(network: Architecture, batch_size: usize, steps: usize) {
    let whole = fashion_sample::generate(0);
    let train = whole.train.select(&(0..batch_size * steps).collect::<Vec<_>>());
    let splits = Splits::new(train, whole.test).unwrap();
    let settings = Settings { batch_size, validation: Validation::None, ..Settings::default() };
    let faults = with_threads(2, || {
        let network = network.build(10, settings.seed);
        let mut trainer = Trainer::new(settings, &splits, network).unwrap();
        let mut epoch = || {
            let before = page_faults();
            assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
            page_faults() - before
        };
        // Threads take their scratch memory when they first need it, so one lucky epoch counts.
        epoch();
        (0..5).map(|_| epoch()).min().unwrap()
    })
    .unwrap();
    // A few come with each epoch: the order of its images, the threads' stacks.
    assert!(faults < steps as u64, "{network}: {faults} page faults in {steps} steps");
}
