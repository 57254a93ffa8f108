//! What a training step asks of the allocator: bookkeeping, the same every step, and nothing that
//! grows with the batch.

use crate::common::whole;
use allocation_counter::{AllocationInfo, measure};
use fashion_data::Splits;
use fashion_model::Architecture;
use fashion_train::log::{CsvLog, JsonLinesLog, TensorBoardLog};
use fashion_train::{Observer, Settings, Step, Trainer, Validation, with_threads};

/// What the third epoch of so many steps allocates, on one thread (allocations are counted by
/// thread).
fn third_epoch(network: Architecture, batch_size: usize, steps: usize) -> AllocationInfo {
    let whole = whole();
    let train = whole.train.select(&(0..batch_size * steps).collect::<Vec<_>>());
    let splits = Splits::new(train, whole.test.clone()).unwrap();
    let settings = Settings { batch_size, validation: Validation::None, ..Settings::default() };
    with_threads(1, || {
        let network = network.build(10, settings.seed);
        let mut trainer = Trainer::new(settings, &splits, network).unwrap();
        assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
        assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
        measure(|| {
            assert!(trainer.run_epoch(&mut ()).unwrap().is_continue());
        })
    })
    .unwrap()
}

#[test]
fn a_step_allocates_the_same_every_time_and_nothing_grows_with_the_batch() {
    // Boxed closures and nodes are small and of each layer.
    for (network, batch, most) in
        [(Architecture::ReportCnn, 32, 60.0), (Architecture::Vgg, 4, 250.0)]
    {
        let (few, many) = (third_epoch(network, batch, 4), third_epoch(network, batch, 12));
        let per_step = (many.count_total - few.count_total) as f64 / 8.0;
        // dfdx's maps of gradients now and then take a node more or less.
        let what = format!("{network}: {per_step} allocations a step");
        assert!((per_step - per_step.round()).abs() < 0.3 && per_step < most, "{what}");
        let large = third_epoch(network, 4 * batch, 12);
        let more = large.count_total.abs_diff(many.count_total);
        assert!(more <= 3, "{network}: {more} allocations more for four times the batch");
        // The order of an epoch's images is what is left: 8 bytes an image.
        let grown = (large.bytes_total - many.bytes_total).abs_diff(8 * 3 * batch as u64 * 12);
        assert!(grown < 4096, "{network}: {grown} bytes more for four times the batch");
        let each = many.bytes_total / 12;
        assert!(each < 400 * most as u64, "{network}: {each} bytes a step");
    }
}

#[test]
fn logs_need_no_memory_for_a_step() {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = CsvLog::create(&folder.path().join("log.csv")).unwrap();
    let mut json = JsonLinesLog::create(&folder.path().join("log.jsonl")).unwrap();
    let mut board = TensorBoardLog::create(folder.path()).unwrap();
    let mut steps = |numbers: std::ops::Range<u64>| {
        for number in numbers {
            let step = Step {
                step: number,
                epoch: 1,
                epochs: 1,
                images: 1,
                images_per_epoch: 1000,
                learning_rate: 0.001,
                batch_loss: 1.0 / number as f64,
                gradient_norm: 1e-9 / number as f64,
                loss: 2.0 / number as f64,
                accuracy: 1e9 / number as f64,
            };
            assert!((&mut csv, (&mut json, &mut board)).on_step(&step).is_continue());
        }
    };
    steps(1..100);
    // Written to the files several times in between.
    assert_eq!(measure(|| steps(100..2000)).count_total, 0);
}
