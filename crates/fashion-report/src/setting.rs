//! What a sweep varies: values of settings, and the axis on which they are put.

use crate::canvas::Style;
use crate::layout::SMALL;
use crate::{format, scale};

/// The value of a setting in a point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// A number, such as a learning rate.
    Number(f64),
    /// A choice, such as the name of a schedule.
    Text(String),
}

impl From<f64> for SettingValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for SettingValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl SettingValue {
    /// The value as people write it.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Number(value) => format::setting(*value),
            Self::Text(text) => text.clone(),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => scale::drawable(*value),
            Self::Text(_) => None,
        }
    }
}

/// Numbers whose largest is more than this many times the smallest get a logarithmic axis.
const FAR: f64 = 20.0;
/// At least this much between two labels.
const APART: f64 = 8.0;

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Linear,
    /// The place of zero, left of all logarithms, if zero is one of the values.
    Logarithmic {
        zero: f64,
    },
    /// The distinct values in the order of their appearance.
    Categories(Vec<String>),
}

/// A horizontal axis for the values of one setting.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    kind: Kind,
    /// The range of places.
    pub(crate) range: (f64, f64),
    /// Labelled places.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// The axis for these values, `width` pixels wide.
    pub(crate) fn new<'a>(
        values: impl Iterator<Item = &'a SettingValue> + Clone,
        width: f64,
    ) -> Self {
        if values.clone().any(|v| matches!(v, SettingValue::Text(_))) {
            return Self::categories(values, width);
        }
        let mut numbers: Vec<f64> = values.filter_map(SettingValue::number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        let (lo, hi) = match numbers[..] {
            [] => (0.0, 1.0),
            [lo, .., hi] | [lo @ hi] => (lo, hi),
        };
        let positive = numbers.iter().copied().find(|&v| scale::logarithm(v).is_some());
        let logarithmic = lo >= 0.0 && positive.is_some_and(|least| hi > FAR * least);
        let kind = if let (true, Some(least)) = (logarithmic, positive) {
            let (first, last) = (libm::log10(least), libm::log10(hi));
            Kind::Logarithmic { zero: first - (0.15 * (last - first)).max(0.3) }
        } else {
            Kind::Linear
        };
        let mut axis = Self { kind, range: (0.0, 1.0), ticks: Vec::new() };
        let places = numbers.iter().filter_map(|&v| axis.at(v));
        let (first, last) = scale::extent(places).unwrap_or((0.0, 1.0));
        let beside = if first < last { 0.06 * (last - first) } else { 0.5 };
        axis.range = (first - beside, last + beside);
        // The very values that were tried, where all of their labels have room.
        if !axis.label(&numbers, width) {
            let round = match axis.kind {
                Kind::Linear => scale::nice(lo, hi, 5, 1e-12).1,
                _ => scale::decades(positive.unwrap_or(1.0), hi, (width / 44.0) as usize),
            };
            let zero = (logarithmic && lo == 0.0).then_some(0.0);
            let inside = |&v: &f64| (lo..=hi).contains(&v);
            let round: Vec<f64> =
                zero.into_iter().chain(round.into_iter().filter(inside)).collect();
            if !axis.label(&round, width) {
                axis.label(&[lo, hi], width);
            }
        }
        axis
    }

    fn categories<'a>(values: impl Iterator<Item = &'a SettingValue>, width: f64) -> Self {
        let mut names: Vec<String> = Vec::new();
        for value in values {
            let name = value.label();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let room = width / names.len().max(1) as f64 - APART;
        let style = Style::new(SMALL, crate::palette::MUTED);
        let label = |(i, name): (usize, &String)| {
            let name = style.fit(name, room);
            // What cannot be read need not be there.
            let fits = style.width(&name) <= room;
            (i as f64, if fits { name } else { String::new() })
        };
        let ticks = names.iter().enumerate().map(label).collect();
        let range = (-0.5, names.len().max(1) as f64 - 0.5);
        Self { kind: Kind::Categories(names), range, ticks }
    }

    fn at(&self, value: f64) -> Option<f64> {
        match self.kind {
            Kind::Logarithmic { zero } if value == 0.0 => Some(zero),
            Kind::Logarithmic { .. } => scale::logarithm(value),
            _ => Some(value),
        }
    }

    /// Labels these values, if the labels keep apart.
    fn label(&mut self, values: &[f64], width: f64) -> bool {
        let style = Style::new(SMALL, crate::palette::MUTED);
        let ticks: Vec<(f64, String)> =
            values.iter().filter_map(|&v| Some((self.at(v)?, format::setting(v)))).collect();
        let pixels = |place: f64| width * (place - self.range.0) / (self.range.1 - self.range.0);
        let apart = ticks.windows(2).all(|pair| {
            let ends =
                [&pair[0], &pair[1]].map(|(place, text)| (pixels(*place), style.width(text)));
            ends[1].0 - ends[0].0 >= (ends[0].1 + ends[1].1) / 2.0 + APART
        });
        if apart {
            self.ticks = ticks;
        }
        apart
    }

    /// Where a value lies in `range`, if the axis can show it.
    pub(crate) fn place(&self, value: &SettingValue) -> Option<f64> {
        if let Kind::Categories(names) = &self.kind {
            let label = value.label();
            return names.iter().position(|name| *name == label).map(|i| i as f64);
        }
        value.number().and_then(|v| self.at(v))
    }

    /// Whether a line may lead from one place to the next: not between choices, nor from a zero to
    /// its neighbour on a logarithmic axis.
    pub(crate) fn joins(&self, a: f64, b: f64) -> bool {
        match self.kind {
            Kind::Linear => true,
            Kind::Logarithmic { zero } => a != zero && b != zero,
            Kind::Categories(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[f64], width: f64) -> Axis {
        let values: Vec<SettingValue> = values.iter().map(|&v| v.into()).collect();
        Axis::new(values.iter(), width)
    }

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn far_values_get_a_logarithmic_axis() {
        let near = axis(&[1.0, 10.0, 20.0], 600.0);
        assert_eq!(near.kind, Kind::Linear);
        let far = axis(&[1.0, 10.0, 20.5], 600.0);
        assert_eq!(far.place(&SettingValue::Number(10.0)), Some(1.0));
        assert!(far.joins(0.0, 1.0));
        // Zero has a place of its own, apart from the rest.
        let zero = axis(&[0.0, 1e-4, 1e-2], 600.0);
        let place = zero.place(&SettingValue::Number(0.0)).unwrap();
        assert!(place < -4.2 && zero.range.0 < place, "{zero:?}");
        assert!(!zero.joins(place, -4.0) && zero.joins(-4.0, -2.0));
        assert_eq!(labels(&zero), ["0", "1e-4", "0.01"]);
        assert_eq!(axis(&[-1.0, 1.0, 100.0], 600.0).kind, Kind::Linear);
        assert_eq!(axis(&[0.0, 0.1, 0.5], 600.0).kind, Kind::Linear);
    }

    #[test]
    fn the_values_tried_are_the_ticks_where_they_fit() {
        let rates = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1];
        let wide = ["1e-5", "3e-5", "1e-4", "3e-4", "0.001", "0.003", "0.01", "0.03", "0.1"];
        assert_eq!(labels(&axis(&rates, 600.0)), wide);
        assert_eq!(labels(&axis(&rates, 250.0)), ["1e-5", "1e-4", "0.001", "0.01", "0.1"]);
        let sizes = [16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
        let wide = ["16", "32", "64", "128", "256", "512", "1024"];
        assert_eq!(labels(&axis(&sizes, 300.0)), wide);
        let random: Vec<f64> = (0..40).map(|i| 0.1 + 0.010_7 * f64::from(i)).collect();
        assert_eq!(labels(&axis(&random, 300.0)), ["0.1", "0.2", "0.3", "0.4", "0.5"]);
        assert_eq!(labels(&axis(&[128.0], 300.0)), ["128"]);
        assert!(axis(&[f64::NAN, f64::INFINITY], 300.0).ticks.is_empty());
    }

    #[test]
    fn choices_stand_in_the_order_of_their_appearance() {
        let values = ["cosine".into(), SettingValue::Number(0.5), "none".into(), "cosine".into()];
        let axis = Axis::new(values.iter(), 300.0);
        assert_eq!(labels(&axis), ["cosine", "0.5", "none"]);
        assert_eq!(values.each_ref().map(|v| axis.place(v)), [0.0, 1.0, 2.0, 0.0].map(Some));
        assert_eq!((axis.range, axis.joins(0.0, 1.0)), ((-0.5, 2.5), false));
        assert_eq!(axis.place(&"step".into()), None);
        let many: Vec<SettingValue> =
            (0..100).map(|i| format!("choice {i}").as_str().into()).collect();
        assert!(Axis::new(many.iter(), 300.0).ticks.iter().all(|(_, label)| label.is_empty()));
    }
}
