//! TensorBoard's events.
//!
//! The messages are `tensorflow/core/util/event.proto` and `core/framework/summary.proto`.

use crate::log::tensorboard::record::record;
use fashion_infer::protobuf::{double, float, integer, message, text};

/// A number under a name, and, once in a file, what it is.
pub(super) struct Scalar {
    pub(super) tag: &'static str,
    pub(super) description: Option<&'static str>,
    pub(super) value: f64,
}

/// Adds a record with an `Event`, the rest of which `encode` adds.
pub(super) fn event(
    out: &mut Vec<u8>,
    wall_time: f64,
    step: u64,
    encode: impl FnOnce(&mut Vec<u8>),
) {
    record(out, |out| {
        double(out, 1, wall_time);
        integer(out, 2, step);
        encode(out);
    });
}

/// `Event.file_version`, which every file begins with.
pub(super) fn file_version(out: &mut Vec<u8>) {
    text(out, 3, "brain.Event:2");
}

/// `Event.session_log` with the status START: what has this step or a later one is forgotten.
pub(super) fn session_start(out: &mut Vec<u8>) {
    out.extend_from_slice(&SESSION_START);
}

/// The field 7 with a message of two bytes, whose field 1 is 1.
const SESSION_START: [u8; 4] = [7 << 3 | 2, 2, 1 << 3, 1];

/// Whether data are such an event.
pub(super) fn is_session_start(data: &[u8]) -> bool {
    data.ends_with(&SESSION_START) && data.len() < 9 + 11 + SESSION_START.len() + 1
}

/// The step of an event that [`event`] wrote.
pub(super) fn step_of(data: &[u8]) -> Option<u64> {
    let mut step = 0;
    for (position, byte) in data.get(10..)?.iter().take(10).enumerate() {
        step |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            return Some(step);
        }
    }
    None
}

/// `Event.summary` with a `Summary.Value` for each scalar.
pub(super) fn scalars(out: &mut Vec<u8>, all: impl Iterator<Item = Scalar>) {
    message(out, 5, |out| {
        for Scalar { tag, description, value } in all {
            message(out, 1, |out| {
                text(out, 1, tag);
                float(out, 2, value as f32); // simple_value
                if let Some(description) = description {
                    // metadata: SummaryMetadata
                    message(out, 9, |out| {
                        message(out, 1, |out| text(out, 1, "scalars")); // plugin_data.plugin_name
                        text(out, 3, description); // summary_description
                    });
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tensorboard::record;

    /// ```python
    /// from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    /// from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
    /// value = Summary.Value(tag="train/loss", simple_value=0.1,
    ///                       metadata=SummaryMetadata(
    ///                           plugin_data=SummaryMetadata.PluginData(plugin_name="scalars"),
    ///                           summary_description="d" * 200))
    /// for event in (Event(wall_time=1.5, step=300, summary=Summary(value=[value])),
    ///               Event(wall_time=1.5, step=300, session_log=SessionLog(status=1)),
    ///               Event(wall_time=1.5, file_version="brain.Event:2")):
    ///     print(event.SerializeToString().hex().replace("64" * 200, "D"))
    /// ```
    #[test]
    fn events_are_as_protobuf_encodes_them() {
        let description: &'static str = "d".repeat(200).leak();
        let scalar = Scalar { tag: "train/loss", description: Some(description), value: 0.1 };
        let mut out = Vec::new();
        event(&mut out, 1.5, 300, |out| scalars(out, std::iter::once(scalar)));
        event(&mut out, 1.5, 300, session_start);
        event(&mut out, 1.5, 0, file_version);
        let hex = |data: &[u8]| data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let [summary, session, version] = record::read(&out).collect::<Vec<_>>()[..] else {
            panic!("not three records")
        };
        assert_eq!(
            hex(summary).replace(&"64".repeat(200), "D"),
            "09000000000000f83f10ac022aed010aea010a0a747261696e2f6c6f737315cdcccc3d4ad6010a090a077363616c6172731ac801D"
        );
        assert_eq!(hex(session), "09000000000000f83f10ac023a020801");
        // That protobuf leaves out a step of 0 makes no difference to a reader.
        assert_eq!(hex(version), "09000000000000f83f10001a0d627261696e2e4576656e743a32");
        assert_eq!([summary, session, version].map(step_of), [Some(300), Some(300), Some(0)]);
        assert_eq!([summary, session, version].map(is_session_start), [false, true, false]);
    }
}
