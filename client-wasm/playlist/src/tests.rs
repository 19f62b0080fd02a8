//! What comes out for manifests of all kinds. That the names and numbers are those of foreign clients is shown by
//! `js/src/tests/shaka-golden.test.ts`, with the module as the browser runs it.

use crate::Reader;

const URL: &str = "http://origin.example/live/index.m3u8";

/// The fields of an answer.
fn fields(answer: Vec<u8>) -> Vec<String> {
    let text = String::from_utf8(answer).expect("a text");
    let mut fields: Vec<_> = text.split('\0').map(str::to_owned).collect();
    assert_eq!(fields.pop().as_deref(), Some(""), "each field is ended");
    fields
}

/// Starts of the segments that a stream lists, in milliseconds, and their addresses.
fn segments(reader: &Reader, stream: usize, now_ms: i64) -> Vec<(String, String)> {
    let fields = fields(reader.segments(stream, now_ms));
    let listed = fields.get(2..).unwrap_or_default().chunks(7);
    listed.map(|it| (it[2].clone(), it[6].clone())).collect()
}

fn media(sequence: u64, durations: &[&str], rest: &str) -> String {
    let mut text = format!("#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n");
    for (number, duration) in (sequence..).zip(durations) {
        text.push_str(&format!("#EXTINF:{duration},\n{number}.ts\n"));
    }
    text + rest
}

fn starts(reader: &Reader) -> Vec<String> {
    segments(reader, 0, 0)
        .into_iter()
        .map(|(start, _)| start)
        .collect()
}

#[test]
fn a_multivariant_playlist_gives_its_streams() {
    let text = "#EXTM3U\n\
        #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",LANGUAGE=\"en\",URI=\"a.m3u8\"\n\
        #EXT-X-STREAM-INF:BANDWIDTH=900000,CODECS=\"avc1.4d401e,mp4a.40.2\",RESOLUTION=640x360,AUDIO=\"a\"\nv.m3u8\n";
    let read = fields(Reader::default().manifest(text.as_bytes(), URL));
    assert_eq!(&read[..2], ["hls", ""]);
    assert_eq!(read.len(), 2 + 2 * 14);
    assert_eq!(
        &read[2..6],
        ["http://origin.example/live/v.m3u8", "1", "0", "900000"]
    );
    assert_eq!(&read[14..16], ["1", "0-avc1.4d401e-640-360-----"]);
    assert_eq!(&read[16..18], ["http://origin.example/live/a.m3u8", "0"]);
}

#[test]
fn what_is_no_manifest_gives_nothing_and_harms_nothing() {
    let mut reader = Reader::default();
    assert!(reader.manifest(b"<html>", URL).is_empty());
    assert!(!reader.playlist(0, b"#EXTM3U", URL));
    assert!(!reader.index(7, 7, &[0; 8]));
    assert!(reader.segments(3, 0).is_empty() && reader.indexes(3).is_empty());
    reader.manifest(media(0, &["6"], "").as_bytes(), URL);
    assert!(reader.manifest(b"\xff\xfe", URL).is_empty());
    assert_eq!(starts(&reader), ["0"]);
}

#[test]
fn a_live_playlist_goes_on_where_it_was() {
    let mut reader = Reader::default();
    reader.manifest(media(10, &["6", "4.5", "6"], "").as_bytes(), URL);
    assert_eq!(starts(&reader), ["0", "6000", "10500"]);
    assert!(reader.playlist(0, media(12, &["6", "5"], "").as_bytes(), URL));
    assert_eq!(starts(&reader), ["10500", "16500"]);
    // Three segments were missed.
    assert!(reader.playlist(0, media(17, &["6"], "").as_bytes(), URL));
    assert_eq!(starts(&reader), ["39500"]);
    assert!(reader.playlist(0, media(17, &["6"], "#EXT-X-ENDLIST\n").as_bytes(), URL));
    assert_eq!(fields(reader.segments(0, 0))[0], "0");
}

#[test]
fn a_gap_is_not_listed_but_takes_its_time() {
    let mut reader = Reader::default();
    let gap = "#EXT-X-GAP\n#EXTINF:6,\n1.ts\n#EXTINF:6,\n2.ts\n";
    reader.manifest(media(0, &["6"], gap).as_bytes(), URL);
    assert_eq!(starts(&reader), ["0", "12000"]);
}

const LIVE: &str = r#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic" availabilityStartTime="1970-01-01T00:00:00Z"
    minimumUpdatePeriod="PT500S" timeShiftBufferDepth="PT6S"><Period start="PT0S"><AdaptationSet contentType="video">
    <SegmentTemplate timescale="1" duration="2" media="$Number$.m4s" startNumber="1"/>
    <Representation id="v" mimeType="video/mp4" codecs="avc1.4d401e" bandwidth="900000"/></AdaptationSet></Period>
    <UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="1970-01-01T00:01:00Z"/></MPD>"#;

#[test]
fn a_live_presentation_lists_what_is_there_and_says_when_there_is_more() {
    let mut reader = Reader::default();
    let read = fields(reader.manifest(LIVE.as_bytes(), "http://origin.example/live.mpd"));
    assert_eq!(&read[..4], ["dash", "60000", "video/v", "1"]);
    assert_eq!(&fields(reader.segments(0, 11_000))[..2], ["1", "12000"]);
    let listed: Vec<_> = segments(&reader, 0, 11_000);
    assert_eq!(listed.last().expect("a segment").0, "8000");
    assert_eq!(
        listed.last().expect("a segment").1,
        "http://origin.example/5.m4s"
    );
    assert_eq!(
        segments(&reader, 0, 12_000).last().expect("a segment").0,
        "10000"
    );
}

#[test]
fn segments_of_an_index_are_listed_once_it_is_read_and_stay() {
    let mpd = r#"<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S"><Period>
        <AdaptationSet contentType="video"><Representation id="v" mimeType="video/mp4" bandwidth="9"><BaseURL>v.mp4</BaseURL>
        <SegmentBase indexRange="100-155"/></Representation></AdaptationSet></Period></MPD>"#;
    let mut reader = Reader::default();
    let url = "http://origin.example/vod.mpd";
    reader.manifest(mpd.as_bytes(), url);
    assert_eq!(
        fields(reader.indexes(0)),
        ["0", "100", "155", "http://origin.example/v.mp4"]
    );
    assert!(segments(&reader, 0, 0).is_empty());
    assert!(!reader.index(0, 0, b"not an index at all"));
    assert!(reader.index(0, 0, &sidx()));
    assert!(fields(reader.indexes(0)).is_empty());
    let listed = fields(reader.segments(0, 0));
    assert_eq!(
        &listed[4..9],
        ["0", "2000", "156", "255", "http://origin.example/v.mp4"]
    );
    reader.manifest(mpd.as_bytes(), url);
    assert_eq!(segments(&reader, 0, 0).len(), 2);
}

/// Two segments of 2 s and 100 bytes each.
fn sidx() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut put = |numbers: &[u32]| bytes.extend(numbers.iter().flat_map(|it| it.to_be_bytes()));
    put(&[56, u32::from_be_bytes(*b"sidx"), 0, 1, 1_000, 0, 0, 2]);
    put(&[100, 2_000, 0x9000_0000, 100, 2_000, 0x9000_0000]);
    bytes
}
