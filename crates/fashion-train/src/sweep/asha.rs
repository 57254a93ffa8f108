//! Asynchronous successive halving: which run is next.
//!
//! Whoever is free promotes the best point that is among the best ⌊n / factor⌋ of the n that have come to
//! a rung, and has not been promoted from there, of the highest rung first; where there is none, it begins
//! a new point on the lowest rung (ASHA; Li et al., "A System for Massively Parallel Hyperparameter Tuning",
//! 2020). So nobody waits for the last point of a rung, and there need not be a last one.
//!
//! A run that has ended before its last rung, since it has fewer epochs, was stopped early or diverged, has
//! nothing left to be promoted for: it stands on the next rung, as what it was at its end, while it is among
//! the best of its own.
//!
//! As with halving, what is decided follows from the histories, and from what is being trained meanwhile.

use super::Sweep;
use super::halving::{Worth, ranked, worth_after};
use super::work::{Board, Job};
use std::ops::Range;

/// The next job, if there is one before another run has come to its rung.
pub(super) fn next(sweep: &Sweep, board: &Board) -> Option<Job> {
    let ladder = Ladder::new(sweep, board);
    ladder.unfinished().or_else(|| ladder.promotion()).or_else(|| ladder.new_point())
}

/// How often each point has been promoted.
pub(super) fn kept(sweep: &Sweep, board: &Board) -> Vec<usize> {
    Ladder::new(sweep, board).climb().0
}

/// How many points have been drawn; one at least.
pub(super) fn drawn(sweep: &Sweep, board: &Board) -> usize {
    let ladder = Ladder::new(sweep, board);
    ladder.sent.iter().rposition(Option::is_some).map_or(1, |last| last + 1)
}

struct Ladder<'a> {
    sweep: &'a Sweep,
    rungs: Vec<usize>,
    board: &'a Board,
    /// The rung to which each point was sent, counted from 0, the end being the last; `None` where it has
    /// not been begun.
    sent: Vec<Option<usize>>,
}

impl<'a> Ladder<'a> {
    fn new(sweep: &'a Sweep, board: &'a Board) -> Ladder<'a> {
        let mut ladder = Ladder { sweep, board, rungs: sweep.rungs(), sent: Vec::new() };
        let sent = |point| ladder.trials(point).filter_map(|trial| ladder.sent_to(trial)).max();
        ladder.sent = (0..sweep.points.len()).map(sent).collect();
        ladder
    }

    /// The trials of a point; here points are counted from 0.
    fn trials(&self, point: usize) -> Range<usize> {
        let seeds = self.sweep.spec.seeds.len();
        point * seeds..(point + 1) * seeds
    }

    fn sent_to(&self, trial: usize) -> Option<usize> {
        let rung_of = |epochs: usize| self.rungs.partition_point(|rung| *rung < epochs);
        let (outcome, history) = &self.board.all[trial];
        let been = (outcome.is_some() || !history.is_empty()).then(|| rung_of(history.len()));
        let running = self.board.running.get(&trial);
        been.max(running.map(|until| until.map_or(self.rungs.len(), rung_of)))
    }

    fn until(&self, rung: usize) -> Option<usize> {
        self.rungs.get(rung).copied()
    }

    /// Whether a point has no trial that could go on.
    fn has_ended(&self, point: usize) -> bool {
        self.trials(point).all(|trial| self.board.all[trial].0.is_some())
    }

    /// A trial that is behind where its point was sent.
    fn unfinished(&self) -> Option<Job> {
        self.sent.iter().enumerate().find_map(|(point, sent)| {
            let trials: Vec<usize> = self.trials(point).collect();
            self.board.left(&trials, self.until((*sent)?)).next()
        })
    }

    fn promotion(&self) -> Option<Job> {
        let (point, from) = self.climb().1?;
        let trial = self.trials(point).find(|trial| self.board.all[*trial].0.is_none())?;
        Some(Job { trial, until: self.until(from + 1) })
    }

    fn new_point(&self) -> Option<Job> {
        let point = self.sent.iter().position(Option::is_none)?;
        Some(Job { trial: self.trials(point).start, until: self.until(0) })
    }

    /// How often each point has been promoted; and which is to be next, and from which rung.
    fn climb(&self) -> (Vec<usize>, Option<(usize, usize)>) {
        let spec = &self.sweep.spec;
        let (mut kept, mut next) = (vec![0; self.sent.len()], None);
        let mut standing: Vec<usize> =
            (0..self.sent.len()).filter(|point| self.sent[*point].is_some()).collect();
        for (at, &rung) in self.rungs.iter().enumerate() {
            let worths = |point: usize| -> Option<Vec<Worth>> {
                self.trials(point).map(|trial| worth_after(rung, &self.board.all[trial])).collect()
            };
            let there = standing.iter().filter_map(|point| Some((*point, worths(*point)?)));
            let (points, worths): (Vec<usize>, Vec<Vec<Worth>>) = there.unzip();
            let mut best = ranked(&points, &worths.concat(), spec);
            best.truncate(points.len() / spec.halving.factor);
            let waits = |point: &&usize| self.sent[**point] == Some(at) && !self.has_ended(**point);
            // That of the highest rung is kept.
            next = best.iter().find(waits).map(|point| (*point, at)).or(next);
            standing.retain(|point| {
                self.sent[*point] > Some(at) || self.has_ended(*point) && best.contains(point)
            });
            standing.iter().for_each(|point| kept[*point] += 1);
        }
        (kept, next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DataConfig;
    use crate::history::Epoch;
    use crate::sweep::trial::is_there;
    use crate::sweep::{HalvingSpec, Method, Outcome, Range as Drawn, Scale, Spec, Status, Values};

    /// A sweep of so many points, in a folder that nobody looks at.
    fn sweep(samples: usize, seeds: u64, epochs: usize) -> Sweep {
        let range = Drawn { from: 1e-6.into(), to: 1.0.into(), scale: Scale::Log, count: None };
        let mut spec = Spec {
            architecture: Some("report-cnn".to_owned()),
            data: Some(DataConfig {
                origin: String::new(),
                train_images: String::new(),
                train_labels: String::new(),
                test_images: String::new(),
                test_labels: String::new(),
                validation_images: None,
                validation_labels: None,
                classes: Vec::new(),
            }),
            method: Method::Asha,
            samples: Some(samples),
            seeds: (0..seeds).collect(),
            halving: HalvingSpec { min_epochs: 1, factor: 3 },
            ..Spec::default()
        };
        spec.base.epochs = epochs;
        spec.space.insert("learning_rate".to_owned(), Values::Range(range));
        Sweep::of("nowhere".into(), spec).unwrap()
    }

    /// A made-up accuracy, whose order changes from epoch to epoch; `None` where training diverges.
    fn accuracy(trial: usize, epoch: usize) -> Option<f64> {
        let mixed = (trial as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (epoch.ilog2() % 8);
        let noise = (mixed >> 20) % 1000;
        (trial % 13 != 5 || epoch < 3).then(|| epoch as f64 / 100.0 + noise as f64 / 2000.0)
    }

    fn made_up(epoch: usize, accuracy: f64) -> Epoch {
        Epoch {
            epoch,
            learning_rate: 0.1,
            train_loss: 1.0,
            train_accuracy: 0.5,
            validation_loss: Some(1.0),
            validation_accuracy: Some(accuracy),
        }
    }

    /// Does a job as if at once: to its epoch, or the run's own end.
    fn train(board: &mut Board, Job { trial, until }: Job, epochs: usize) {
        let (outcome, history) = &mut board.all[trial];
        for epoch in history.len() + 1..=until.unwrap_or(epochs).min(epochs) {
            let Some(accuracy) = accuracy(trial, epoch) else {
                *outcome = Some(Outcome::new(Status::Diverged, history));
                return;
            };
            history.push(made_up(epoch, accuracy));
        }
        if history.len() == epochs {
            *outcome = Some(Outcome::new(Status::Complete, history));
        }
    }

    /// Algorithm 2 of the paper, with lists of what has come to each rung and what was promoted from there.
    struct Plain {
        rungs: Vec<Vec<(usize, Option<f64>)>>,
        promoted: Vec<Vec<usize>>,
        begun: usize,
        samples: usize,
    }

    impl Plain {
        fn get_job(&mut self) -> Option<(usize, usize)> {
            for k in (0..self.rungs.len()).rev() {
                let mut all = self.rungs[k].clone();
                // What diverged is last; of equal ones the first.
                let worth = |accuracy: Option<f64>| accuracy.unwrap_or(-1.0);
                all.sort_by(|a, b| worth(b.1).total_cmp(&worth(a.1)).then(a.0.cmp(&b.0)));
                for (trial, accuracy) in &all[..all.len() / 3] {
                    if accuracy.is_some() && !self.promoted[k].contains(trial) {
                        self.promoted[k].push(*trial);
                        return Some((*trial, k + 1));
                    }
                }
            }
            self.begun += 1;
            (self.begun <= self.samples).then(|| (self.begun - 1, 0))
        }
    }

    #[test]
    fn decisions_are_those_of_the_paper_for_any_number_of_workers() {
        let (samples, epochs, rungs) = (60, 30, [1, 3, 9, 27]);
        let sweep = sweep(samples, 1, epochs);
        assert_eq!(sweep.rungs(), rungs);
        for workers in [1, 2, 5] {
            let mut board = Board::new(vec![(None, Vec::new()); samples]);
            let (none, nobody) = (vec![Vec::new(); rungs.len()], vec![Vec::new(); rungs.len()]);
            let mut plain = Plain { rungs: none, promoted: nobody, begun: 0, samples };
            let (mut busy, mut jobs) = (Vec::new(), Vec::new());
            loop {
                while busy.len() < workers {
                    let job = next(&sweep, &board);
                    let expected = plain.get_job();
                    let place = |job: Job| {
                        let at = |until| rungs.iter().position(|rung| *rung == until).unwrap();
                        (job.trial, job.until.map_or(rungs.len(), at))
                    };
                    assert_eq!(job.map(place), expected, "after {jobs:?}");
                    let Some(job) = job else { break };
                    board.running.insert(job.trial, job.until);
                    busy.push((job, place(job).1));
                    jobs.push(place(job));
                }
                if busy.is_empty() {
                    break;
                }
                // The workers end in some order.
                let (job, rung) = busy.remove(jobs.len() * 7 % busy.len());
                train(&mut board, job, epochs);
                board.running.remove(&job.trial);
                if rung < rungs.len() {
                    let best = (1..=rungs[rung]).map(|epoch| accuracy(job.trial, epoch));
                    let best = best.collect::<Option<Vec<f64>>>();
                    let best = best.map(|all| all.into_iter().fold(0.0, f64::max));
                    plain.rungs[rung].push((job.trial, best));
                }
            }
            let on = |rung| jobs.iter().filter(|job| job.1 == rung).count();
            assert!(on(0) == samples && on(1) >= 20 && on(2) >= 6 && on(3) >= 2, "{jobs:?}");
            let kept = kept(&sweep, &board);
            for rung in 1..rungs.len() {
                assert_eq!(kept.iter().filter(|kept| **kept >= rung).count(), on(rung), "{kept:?}");
            }
        }
    }

    #[test]
    fn what_is_decided_can_be_read_from_the_histories_at_any_time() {
        let (samples, epochs) = (30, 10);
        let sweep = sweep(samples, 2, epochs);
        let mut board = Board::new(vec![(None, Vec::new()); 2 * samples]);
        let mut begun = 0;
        while let Some(job) = next(&sweep, &board) {
            begun = begun.max(job.trial);
            // Stopped after an epoch of it, it is the next one again.
            let (_, history) = &board.all[job.trial];
            let until = Some(history.len() + 1);
            train(&mut board, Job { until, ..job }, epochs);
            if !is_there(&board.all[job.trial], job.until) {
                assert_eq!(next(&sweep, &board), Some(job));
            }
            assert_eq!(drawn(&sweep, &board), begun / 2 + 1);
        }
        // Both seeds of a point go together, and are one point of a rung.
        for pair in board.all.chunks(2) {
            let sound = pair.iter().all(|(outcome, _)| outcome.is_none());
            assert!(!sound || pair[0].1.len() == pair[1].1.len());
        }
        assert!(kept(&sweep, &board).contains(&3));
    }

    #[test]
    fn the_highest_rung_is_first_and_of_it_the_best() {
        let sweep = sweep(12, 1, 10);
        let mut board = Board::new(vec![(None, Vec::new()); 12]);
        for (trial, (_, history)) in board.all.iter_mut().enumerate() {
            let epochs = if trial < 3 { 3 } else { 1 };
            history.extend((1..=epochs).map(|epoch| made_up(epoch, 0.9 - trial as f64 / 100.0)));
        }
        // Of rung 3 one of three goes on, of rung 1 the fourth of twelve.
        for (trial, until) in [(0, 9), (3, 3)] {
            assert_eq!(next(&sweep, &board), Some(Job { trial, until: Some(until) }));
            board.running.insert(trial, Some(until));
        }
        assert_eq!(next(&sweep, &board), None);
    }

    #[test]
    fn a_run_with_fewer_epochs_stands_where_its_end_is_good_enough() {
        let mut sweep = sweep(9, 1, 10);
        // Rungs at 1, 3 and 9 epochs; the first three points have two epochs each.
        sweep.points[..3].iter_mut().for_each(|point| point.settings.epochs = 2);
        let mut board = Board::new(vec![(None, Vec::new()); 9]);
        for (trial, accuracy) in
            [0.9, 0.2, 0.3, 0.8, 0.7, 0.6, 0.5, 0.4, 0.1].into_iter().enumerate()
        {
            board.all[trial].1.push(made_up(1, accuracy));
        }
        let job = |trial, until| Some(Job { trial, until: Some(until) });
        assert_eq!(next(&sweep, &board), job(0, 3));
        // It comes to its end before that rung, is the best there, and cannot go on from it.
        board.all[0].1.push(made_up(2, 0.95));
        board.all[0].0 = Some(Outcome::new(Status::Complete, &board.all[0].1));
        for (trial, after) in [(3, 0.85), (4, 0.75)] {
            assert_eq!(next(&sweep, &board), job(trial, 3));
            board.all[trial].1.extend([made_up(2, 0.1), made_up(3, after)]);
        }
        assert_eq!(next(&sweep, &board), None);
        assert_eq!(kept(&sweep, &board), [2, 0, 0, 1, 1, 0, 0, 0, 0]);
    }
}
