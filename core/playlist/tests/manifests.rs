//! Manifests of the kinds that packagers write, each with what it should be read as beside it. All are of our own
//! writing, after the documented forms; the expectations were written by hand.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use beekeepr_model::{ByteRange, Generation, StreamKind};
use beekeepr_playlist::{
    Address, Encryption, Init, Manifest, Media, Multivariant, Part, PlaylistKind, Segment, Start,
    Stream, read,
};

/// Where all of them came from; `~` in the expectations is its folder.
const BASE: &str = "https://cdn.example/live/index.m3u8?token=a%20b";

#[test]
fn manifests_of_every_packager_are_read_as_expected() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/manifests/hls");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "m3u8") {
            let seen = describe(&fs::read(&path).unwrap());
            let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
            assert_eq!(seen, expected, "{}", path.display());
            count += 1;
        }
    }
    assert!(count >= 50, "only {count} manifests found");
}

fn describe(text: &[u8]) -> String {
    match read(text, BASE) {
        Ok(Manifest::Multivariant(multivariant)) => describe_multivariant(&multivariant),
        Ok(Manifest::Media(media)) => describe_media(&media),
        Ok(Manifest::Dash(_)) => "dash\n".into(),
        Err(error) => format!("error {error}\n"),
    }
}

fn describe_multivariant(multivariant: &Multivariant) -> String {
    let mut line = Line::new("multivariant");
    line.flag("independent", multivariant.independent_segments);
    line.start(multivariant.start);
    line.field(
        "keys",
        Some(multivariant.session_keys.len()).filter(|&it| it > 0),
    );
    if let Some(steering) = &multivariant.steering {
        line.field("steering", Some(short(&steering.server)));
        line.field("pathway", steering.pathway.as_ref());
    }
    multivariant
        .streams
        .iter()
        .fold(line.end(), |text, stream| text + &describe_stream(stream))
}

fn describe_stream(stream: &Stream) -> String {
    let kind = match stream.kind {
        StreamKind::Main => "main",
        StreamKind::Secondary => "secondary",
    };
    let it = &stream.properties;
    let some = |text: &String| Some(text.clone()).filter(|it| !it.is_empty());
    let mut line = Line::new(kind);
    line.word(short(&stream.url));
    line.field("bitrate", Some(it.bitrate).filter(|&it| it > 0));
    line.field("codecs", some(&it.codecs));
    let size = format!("{}x{}", it.width, it.height);
    line.field("size", Some(size).filter(|it| it != "0x0"));
    line.field("rate", some(&it.frame_rate));
    line.field("range", some(&it.video_range));
    line.field("lang", some(&it.language));
    line.field("channels", some(&it.channels));
    line.field("name", some(&it.name));
    line.field("pathway", stream.pathway.as_ref());
    line.end()
}

fn describe_media(media: &Media) -> String {
    let mut line = Line::new("media");
    line.word(if media.live { "live" } else { "ended" });
    line.flag("event", media.kind == PlaylistKind::Event);
    line.flag("vod", media.kind == PlaylistKind::Vod);
    line.field("target", Some(media.target_duration_ms));
    line.field("sequence", Some(media.media_sequence));
    line.field(
        "breaks",
        Some(media.discontinuity_sequence).filter(|&it| it > 0),
    );
    line.flag("independent", media.independent_segments);
    line.start(media.start);
    line.flag("block", media.server.can_block_reload);
    line.field("skip", media.server.can_skip_until_ms);
    line.flag("skip-dateranges", media.server.can_skip_dateranges);
    line.field("hold", media.server.hold_back_ms);
    line.field("part-hold", media.server.part_hold_back_ms);
    line.field("part-target", media.edge.part_target_ms);
    let mut text = line.end();
    text.extend(media.inits.iter().enumerate().map(describe_init));
    text.extend(media.segments.iter().map(describe_segment));
    text.extend(media.edge.parts.iter().map(describe_part));
    for hint in &media.edge.hints {
        let length = hint.length.map(|it| format!("+{it}")).unwrap_or_default();
        let kind = if hint.init { "map" } else { "part" };
        writeln!(
            text,
            "hint {kind} {} {}{length}",
            short(&hint.url),
            hint.start
        )
        .unwrap();
    }
    for report in &media.edge.reports {
        let (sequence, part) = (report.last_sequence.unwrap(), report.last_part.unwrap());
        writeln!(text, "report {} {sequence} {part}", short(&report.url)).unwrap();
    }
    text
}

fn describe_init((index, init): (usize, &Init)) -> String {
    let mut line = Line::new("init");
    line.word(index.to_string());
    line.word(short(&init.url));
    line.range(init.byte_range);
    line.end()
}

fn describe_segment(segment: &Segment) -> String {
    assert_eq!(
        segment.id(Generation::V3).0,
        i64::try_from(segment.number).unwrap()
    );
    let mut line = Line::new(&format!(
        "{}/{}",
        segment.number,
        segment.id(Generation::V2).0
    ));
    line.word(segment.duration_ms.to_string());
    line.word(short(&segment.url));
    line.range(segment.byte_range);
    line.flag("break", segment.discontinuity);
    line.flag("gap", segment.gap);
    let encryption = match segment.hls.encryption {
        Encryption::None => "",
        Encryption::Aes128 => "aes-128",
        Encryption::SampleAes => "sample-aes",
        Encryption::SampleAesCtr => "sample-aes-ctr",
        Encryption::Other => "other",
    };
    line.flag(encryption, !encryption.is_empty());
    line.field("init", segment.hls.init);
    line.field("at", segment.hls.program_ms);
    line.field("rate", segment.hls.bitrate);
    line.field("parts", Some(segment.hls.parts.len()).filter(|&it| it > 0));
    line.end()
}

fn describe_part(part: &Part) -> String {
    let mut line = Line::new("part");
    line.word(part.duration_ms.to_string());
    line.word(short(&part.url));
    line.range(part.byte_range);
    line.flag("independent", part.independent);
    line.flag("gap", part.gap);
    line.end()
}

fn short(address: &Address) -> String {
    address.as_str().replace("https://cdn.example/live/", "~")
}

struct Line(String);

impl Line {
    fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    fn word(&mut self, word: impl AsRef<str>) {
        self.0.push(' ');
        self.0.push_str(word.as_ref());
    }

    fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.word(name);
        }
    }

    fn field(&mut self, name: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.word(format!("{name}={}", value.to_string()));
        }
    }

    fn range(&mut self, range: Option<ByteRange>) {
        if let Some(range) = range {
            self.word(format!("{}-{}", range.start, range.end));
        }
    }

    fn start(&mut self, start: Option<Start>) {
        self.field("start", start.map(|it| it.offset_ms));
        self.flag("precise", start.is_some_and(|it| it.precise));
    }

    fn end(mut self) -> String {
        self.0.push('\n');
        self.0
    }
}
