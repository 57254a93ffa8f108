//! Metrics, confusion, calibration and rankings from class probabilities and labels
