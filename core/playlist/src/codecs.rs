//! Which codecs of a variant are video and which are audio.
//!
//! RFC 6381 names begin with a sample entry code of four letters; the tables are those of
//! <https://mp4ra.org/registered-types/sampleentries> as far as HLS uses them, the same set hls.js 1.7 knows.

const VIDEO: [&str; 29] = [
    "avc1", "avc2", "avc3", "avc4", "avcp", "av01", "dav1", "drac", "dva1", "dvav", "dvh1", "dvhe",
    "encv", "hev1", "hvc1", "mjp2", "mp4v", "mvc1", "mvc2", "mvc3", "mvc4", "resv", "rv60", "s263",
    "svc1", "svc2", "vc-1", "vp08", "vp09",
];

const AUDIO: [&str; 35] = [
    "a3ds", "ac-3", "ac-4", "alac", "alaw", "dra1", "dts+", "dts-", "dtsc", "dtse", "dtsh", "ec-3",
    "enca", "fLaC", "flac", "FLAC", "g719", "g726", "m4ae", "mha1", "mha2", "mhm1", "mhm2", "mlpa",
    "mp4a", "raw ", "Opus", "opus", "samr", "sawb", "sawp", "sevc", "sqcp", "ssmv", "twos",
];

/// The video codecs of a CODECS attribute, in its order.
pub(crate) fn video(codecs: &str) -> String {
    of(codecs, &VIDEO)
}

/// The audio codecs of a CODECS attribute, in its order.
pub(crate) fn audio(codecs: &str) -> String {
    of(codecs, &AUDIO)
}

fn of(codecs: &str, entries: &[&str]) -> String {
    let known = |codec: &&str| codec.get(..4).is_some_and(|entry| entries.contains(&entry));
    let chosen: Vec<&str> = codecs.split([' ', ',']).filter(known).collect();
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
    }
}
