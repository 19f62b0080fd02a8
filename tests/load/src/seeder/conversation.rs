//! What a viewer says to the seeder and hears from it: one segment after the other.

use anyhow::{Result, bail, ensure};
use beekeepr_model::{SegmentId, limits};
use beekeepr_peer_proto::{Command, Joiner, encode, is_command_chunk};
use bytes::Bytes;
use ring::digest::{Context, Digest, SHA256};

/// One end of a channel.
#[derive(Default)]
pub(crate) struct Conversation {
    joiner: Joiner,
    loaded: Vec<SegmentId>,
    requests: i64,
    download: Option<Download>,
}

/// The segment that is on its way.
struct Download {
    segment: SegmentId,
    request: i64,
    /// Bytes that are to come; unknown until the seeder says so.
    left: Option<u64>,
    hash: Context,
}

/// Something worth knowing.
pub(crate) enum Heard {
    /// A segment has come whole.
    Segment(u64, Digest),
    /// The seeder does not have what it was asked for.
    Absent,
}

impl Conversation {
    /// The newest segment that the seeder has.
    pub(crate) fn newest(&self) -> Option<u64> {
        let newest = self.loaded.iter().max()?;
        u64::try_from(newest.0).ok()
    }

    /// Asks for a segment, if the seeder has it and nothing else is on its way.
    pub(crate) fn ask(&mut self, number: u64) -> Option<Vec<Bytes>> {
        let segment = SegmentId(i64::try_from(number).ok()?);
        if self.download.is_some() || !self.loaded.contains(&segment) {
            return None;
        }
        self.requests += 1;
        let request = self.requests % 1_000;
        self.download = Some(Download {
            segment,
            request,
            left: None,
            hash: Context::new(&SHA256),
        });
        messages(&Command::SegmentRequest {
            segment,
            request,
            offset: 0,
        })
    }

    /// Gives the download up, if there is one.
    pub(crate) fn cancel(&mut self) -> Option<Vec<Bytes>> {
        let Download {
            segment, request, ..
        } = self.download.take()?;
        messages(&Command::CancelSegmentRequest { segment, request })
    }

    /// Takes a message.
    ///
    /// # Errors
    /// The seeder breaks the rules of the conversation.
    pub(crate) fn hear(&mut self, message: &[u8]) -> Result<Option<Heard>> {
        if !is_command_chunk(message) {
            self.take(message)?;
            return Ok(None);
        }
        let Some(command) = self.joiner.push(message)? else {
            return Ok(None);
        };
        match command {
            Command::SegmentsAnnouncement { loaded, .. } => {
                self.loaded = loaded;
                Ok(None)
            }
            Command::SegmentData {
                segment,
                request,
                size,
            } => {
                if let Some(download) = self.answered(segment, request) {
                    ensure!(size > 0, "segment {} has no bytes", segment.0);
                    download.left = Some(size);
                }
                Ok(None)
            }
            Command::SegmentDataSendingCompleted { segment, request } => {
                Ok(self.complete(segment, request)?)
            }
            Command::SegmentAbsent { segment, request } => {
                let is_ours = self.answered(segment, request).is_some();
                if is_ours {
                    self.download = None;
                    // Not to be asked for again before the next announcement.
                    self.loaded.retain(|it| *it != segment);
                }
                Ok(is_ours.then_some(Heard::Absent))
            }
            Command::SegmentRequest { .. } | Command::CancelSegmentRequest { .. } => {
                bail!("a seeder asks a viewer for segments")
            }
        }
    }

    fn answered(&mut self, segment: SegmentId, request: i64) -> Option<&mut Download> {
        let download = self.download.as_mut()?;
        (download.segment == segment && download.request == request).then_some(download)
    }

    /// Segment bytes; those of a download that was given up are left alone.
    fn take(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(Download {
            left: Some(left),
            hash,
            ..
        }) = &mut self.download
        else {
            return Ok(());
        };
        let rest = left.checked_sub(bytes.len() as u64);
        let Some(rest) = rest else {
            bail!("{} bytes came where {left} were left", bytes.len());
        };
        *left = rest;
        hash.update(bytes);
        Ok(())
    }

    fn complete(&mut self, segment: SegmentId, request: i64) -> Result<Option<Heard>> {
        if self.answered(segment, request).is_none() {
            return Ok(None);
        }
        let Some(download) = self.download.take() else {
            return Ok(None);
        };
        ensure!(
            download.left == Some(0),
            "segment {} ends with {:?} bytes left",
            segment.0,
            download.left
        );
        let number = u64::try_from(segment.0)?;
        Ok(Some(Heard::Segment(number, download.hash.finish())))
    }
}

fn messages(command: &Command) -> Option<Vec<Bytes>> {
    let messages = encode(command, limits::CHANNEL_MESSAGE_BYTES_MAX).ok()?;
    Some(messages.map(Bytes::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::digest::digest;

    fn say(to: &mut Conversation, command: &Command) -> Result<Option<Heard>> {
        let mut heard = None;
        for message in messages(command).unwrap() {
            heard = to.hear(&message)?;
        }
        Ok(heard)
    }

    fn listening() -> Conversation {
        let mut conversation = Conversation::default();
        let loaded = vec![SegmentId(7), SegmentId(8)];
        let loading = vec![SegmentId(9)];
        say(
            &mut conversation,
            &Command::SegmentsAnnouncement { loaded, loading },
        )
        .unwrap();
        conversation
    }

    fn begin(conversation: &mut Conversation, size: u64) {
        assert!(conversation.ask(8).is_some());
        let data = Command::SegmentData {
            segment: SegmentId(8),
            request: 1,
            size,
        };
        say(conversation, &data).unwrap();
    }

    const DONE: Command = Command::SegmentDataSendingCompleted {
        segment: SegmentId(8),
        request: 1,
    };

    #[test]
    fn what_is_not_loaded_is_not_asked_for() {
        let mut conversation = listening();
        assert_eq!(conversation.newest(), Some(8));
        assert!(conversation.ask(9).is_none());
        assert!(conversation.ask(8).is_some());
        assert!(conversation.ask(7).is_none(), "one at a time");
    }

    #[test]
    fn a_segment_comes_whole_with_its_digest() {
        let mut conversation = listening();
        begin(&mut conversation, 6);
        conversation.hear(b"abc").unwrap();
        conversation.hear(b"def").unwrap();
        let Some(Heard::Segment(8, hash)) = say(&mut conversation, &DONE).unwrap() else {
            panic!("expected segment 8");
        };
        assert_eq!(hash.as_ref(), digest(&SHA256, b"abcdef").as_ref());
        assert!(conversation.ask(7).is_some());
    }

    #[test]
    fn too_few_too_many_or_no_bytes_are_a_fault() {
        let mut conversation = listening();
        begin(&mut conversation, 6);
        assert!(conversation.hear(b"abcdefg").is_err());
        let mut conversation = listening();
        begin(&mut conversation, 6);
        conversation.hear(b"abc").unwrap();
        assert!(say(&mut conversation, &DONE).is_err());
        let mut conversation = listening();
        conversation.ask(8).unwrap();
        let data = Command::SegmentData {
            segment: SegmentId(8),
            request: 1,
            size: 0,
        };
        assert!(say(&mut conversation, &data).is_err());
    }

    #[test]
    fn what_comes_after_a_cancel_is_left_alone() {
        let mut conversation = listening();
        begin(&mut conversation, 6);
        assert!(conversation.cancel().is_some() && conversation.cancel().is_none());
        conversation.hear(b"abcdefghi").unwrap();
        assert!(say(&mut conversation, &DONE).unwrap().is_none());
    }

    #[test]
    fn what_is_absent_is_asked_for_again_when_it_is_announced_again() {
        let mut conversation = listening();
        conversation.ask(8).unwrap();
        let absent = Command::SegmentAbsent {
            segment: SegmentId(8),
            request: 1,
        };
        assert!(matches!(
            say(&mut conversation, &absent),
            Ok(Some(Heard::Absent))
        ));
        assert!(conversation.ask(8).is_none());
        assert!(conversation.ask(7).is_some());
    }
}
