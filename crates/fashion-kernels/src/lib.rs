//! Convolution, pooling, dense layers, loss and Adam on plain slices, vectorised and multi-threaded
