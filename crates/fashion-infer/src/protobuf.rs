//! Writing the encoding of protocol buffers, <https://protobuf.dev/programming-guides/encoding>.
//!
//! ONNX models and TensorBoard's events are a handful of messages, which need no more than this.
//!
//! ```
//! use fashion_infer::protobuf::{integer, message, text};
//! let mut bytes = Vec::new();
//! message(&mut bytes, 1, |of| {
//!     integer(of, 2, 300);
//!     text(of, 3, "hi");
//! });
//! assert_eq!(bytes, [0x0a, 7, 0x10, 0xac, 2, 0x1a, 2, b'h', b'i']);
//! ```

/// How a field is encoded.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Fixed64 = 1,
    Delimited = 2,
    Fixed32 = 5,
}

fn key(out: &mut Vec<u8>, field: u32, wire: Wire) {
    varint(out, u64::from(field << 3 | wire as u32));
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A field of a whole number: `uint64`, `int64`, `int32`, `bool` or an enumeration.
pub fn integer(out: &mut Vec<u8>, field: u32, value: u64) {
    key(out, field, Wire::Varint);
    varint(out, value);
}

/// A field of a `float`.
pub fn float(out: &mut Vec<u8>, field: u32, value: f32) {
    key(out, field, Wire::Fixed32);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A field of a `double`.
pub fn double(out: &mut Vec<u8>, field: u32, value: f64) {
    key(out, field, Wire::Fixed64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A field of a `string`.
pub fn text(out: &mut Vec<u8>, field: u32, text: &str) {
    bytes(out, field, text.as_bytes());
}

/// A field of `bytes`.
pub fn bytes(out: &mut Vec<u8>, field: u32, bytes: &[u8]) {
    key(out, field, Wire::Delimited);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// A field of a message, which `encode` adds.
pub fn message(out: &mut Vec<u8>, field: u32, encode: impl FnOnce(&mut Vec<u8>)) {
    key(out, field, Wire::Delimited);
    let at = out.len();
    encode(out);
    // Its length is only known now, and goes before it.
    let end = out.len();
    varint(out, (end - at) as u64);
    let length = out.len() - end;
    out[at..].rotate_right(length);
}
