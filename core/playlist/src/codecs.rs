//! Which codecs of a variant are video and which are audio.
//!
//! RFC 6381 names begin with a sample entry code of four letters; the tables are those of
//! <https://mp4ra.org/registered-types/sampleentries> as far as HLS uses them, the same set hls.js 1.7 knows.

const VIDEO: [&str; 29] = [
    "avc1", "avc2", "avc3", "avc4", "avcp", "av01", "dav1", "drac", "dva1", "dvav", "dvh1", "dvhe",
    "encv", "hev1", "hvc1", "mjp2", "mp4v", "mvc1", "mvc2", "mvc3", "mvc4", "resv", "rv60", "s263",
    "svc1", "svc2", "vc-1", "vp08", "vp09",
];

const AUDIO: [&str; 36] = [
    "a3ds", "ac-3", "ac-4", "alac", "alaw", "dra1", "dts+", "dts-", "dtsc", "dtse", "dtsh", "ec-3",
    "enca", "fLaC", "flac", "FLAC", "g719", "g726", "m4ae", "mha1", "mha2", "mhm1", "mhm2", "mlpa",
    "mp4a", "raw ", "Opus", "opus", "samr", "sawb", "sawp", "sevc", "sqcp", "ssmv", "twos", "ulaw",
];

/// Subtitles and thumbnails.
const OTHER: [&str; 3] = ["mjpg", "stpp", "wvtt"];

/// How codecs begin that p2p-media-loader 5.0 takes for video (vhs-utils 4.1, `codecs.js`).
const VIDEO_V3: [&str; 18] = [
    "av1", "av01", "avc1", "avc2", "avc3", "avc4", "avc01", "avc02", "avc03", "avc04", "vp8",
    "vp9", "vp08", "vp09", "hvc1", "hev1", "theora", "mp4v",
];

/// How codecs begin that p2p-media-loader 5.0 takes for audio.
const AUDIO_V3: [&str; 11] = [
    "mp4a", "flac", "vorbis", "opus", "ac-3", "ac-4", "ec-3", "alac", "mp3", "speex", "aac",
];

/// The video codecs of a CODECS attribute, in its order.
pub(crate) fn video(codecs: &str) -> String {
    of(codecs, &VIDEO)
}

/// The audio codecs of a CODECS attribute, in its order.
pub(crate) fn audio(codecs: &str) -> String {
    of(codecs, &AUDIO)
}

/// Whether hls.js knows all of them.
pub(crate) fn are_known(codecs: &str) -> bool {
    let is_known = |codec: &str| {
        [&VIDEO[..], &AUDIO, &OTHER]
            .iter()
            .any(|entries| is_one(codec, entries))
    };
    list(codecs).all(is_known)
}

/// The same as [`video`] for p2p-media-loader 5.x.
pub(crate) fn video_v3(codecs: &str) -> String {
    of_v3(codecs, &VIDEO_V3)
}

/// The same as [`audio`] for p2p-media-loader 5.x.
pub(crate) fn audio_v3(codecs: &str) -> String {
    of_v3(codecs, &AUDIO_V3)
}

fn of(codecs: &str, entries: &[&str]) -> String {
    // What follows a slash are brands, which hls.js cuts off.
    let chosen = list(codecs).filter(|codec| is_one(codec, entries));
    let chosen: Vec<_> = chosen.filter_map(|codec| codec.split('/').next()).collect();
    chosen.join(",")
}

fn list(codecs: &str) -> impl Iterator<Item = &str> {
    codecs.split([' ', ',']).filter(|codec| !codec.is_empty())
}

fn is_one(codec: &str, entries: &[&str]) -> bool {
    codec.get(..4).is_some_and(|entry| entries.contains(&entry))
}

fn of_v3(codecs: &str, beginnings: &[&str]) -> String {
    let is_one = |codec: &&str| {
        let codec = codec.to_ascii_lowercase();
        beginnings
            .iter()
            .any(|beginning| codec.starts_with(beginning))
    };
    let chosen: Vec<_> = codecs.split(',').map(str::trim).filter(is_one).collect();
    chosen.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn video_and_audio_are_told_apart() {
        let codecs = "mp4a.40.2, avc1.64001f,hvc1.1.6.L93.B0,stpp.ttml,é";
        assert_eq!(video(codecs), "avc1.64001f,hvc1.1.6.L93.B0");
        assert_eq!(audio(codecs), "mp4a.40.2");
        assert_eq!(video(""), "");
        assert!(are_known("avc1.64001f, stpp.ttml") && are_known(""));
        assert!(!are_known("AVC1.64001f,mp4a.40.2"));
    }

    #[test]
    fn the_newest_clients_know_other_codecs_in_any_case() {
        let codecs = " AVC1.4D401E , dvh1.05.06,mp3,Opus,stpp.ttml.im1t,av01.0.08M.10";
        assert_eq!(video_v3(codecs), "AVC1.4D401E,av01.0.08M.10");
        assert_eq!(audio_v3(codecs), "mp3,Opus");
    }
}
