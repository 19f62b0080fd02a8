//! The demo channel's clip: `cargo xtask media` draws it with ffmpeg into `beekeepr/demo`.
//!
//! 24 s in 12 segments of exactly 2 s, so that the live-looping origin may treat the clip as a
//! ring. Two renditions of one picture: honeycomb, a running clock, three bees, a note a second.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::shell;
use crate::tools;

/// Length of the clip: a whole number of segments, of seconds (the notes) and of AAC frames
/// (1024 samples at 48 kHz: 1125 frames), so that the loop has no gap.
const CLIP_S: u32 = 24;
/// Length of a segment; short segments show sooner what peers do.
const SEGMENT_S: u32 = 2;
const FRAMES_PER_S: u32 = 25;
/// All segments of all renditions together: the clip is part of the binary and of the repository.
const CLIP_BYTES_MAX: u64 = 3_000_000;

struct Rendition {
    name: &'static str,
    width: u32,
    height: u32,
    /// Of H.264; with profile Main it gives the codec string `avc1.4d40` + the level in hex.
    level: &'static str,
    codec: &'static str,
    quality_crf: &'static str,
    audio: &'static str,
}

const RENDITIONS: [Rendition; 2] = [
    Rendition {
        name: "360p",
        width: 640,
        height: 360,
        level: "3.0",
        codec: "avc1.4d401e",
        quality_crf: "15",
        audio: "64k",
    },
    Rendition {
        name: "240p",
        width: 426,
        height: 240,
        level: "2.1",
        codec: "avc1.4d4015",
        quality_crf: "23",
        audio: "48k",
    },
];

/// Draws the clip, cuts it and writes the playlists.
pub(crate) fn run() -> Result<()> {
    tools::ffmpeg()?;
    let folder = shell::root().join("beekeepr/demo");
    shell::step("draw and encode the demo clip (about ten seconds)", || {
        encode(&folder)
    })?;
    let master = master(&folder)?;
    fs::write(folder.join("master.m3u8"), master)?;
    let bytes: u64 = RENDITIONS
        .iter()
        .flat_map(|it| segments(&folder, it))
        .map(|it| it.1)
        .sum();
    ensure!(
        bytes <= CLIP_BYTES_MAX,
        "the clip has {bytes} bytes, at most {CLIP_BYTES_MAX} may be"
    );
    eprintln!("{bytes} bytes of segments in {}", folder.display());
    Ok(())
}

fn encode(folder: &Path) -> Result<()> {
    let mut ffmpeg = shell::command(
        "ffmpeg",
        &["-y", "-v", "error", "-filter_complex", &picture()],
    );
    ffmpeg.args(["-f", "lavfi", "-i", &tone()]);
    for (index, rendition) in RENDITIONS.iter().enumerate() {
        let folder = folder.join(rendition.name);
        fs::create_dir_all(&folder)?;
        let group = (SEGMENT_S * FRAMES_PER_S).to_string();
        ffmpeg.args([
            "-map",
            &format!("[v{index}]"),
            "-map",
            "0:a",
            "-t",
            &CLIP_S.to_string(),
        ]);
        ffmpeg.args(["-c:v", "libx264", "-preset", "slow", "-profile:v", "main"]);
        ffmpeg.args(["-level", rendition.level, "-crf", rendition.quality_crf]);
        // A key frame at each segment's start and nowhere else.
        ffmpeg.args(["-g", &group, "-keyint_min", &group, "-sc_threshold", "0"]);
        ffmpeg.args([
            "-pix_fmt",
            "yuv420p",
            "-c:a",
            "aac",
            "-b:a",
            rendition.audio,
        ]);
        // No timestamps or versions of the tool in the files: the same input gives the same clip.
        ffmpeg.args([
            "-fflags",
            "+bitexact",
            "-flags:v",
            "+bitexact",
            "-flags:a",
            "+bitexact",
        ]);
        ffmpeg.args(["-f", "hls", "-hls_time", &SEGMENT_S.to_string()]);
        ffmpeg.args([
            "-hls_playlist_type",
            "vod",
            "-hls_flags",
            "independent_segments",
        ]);
        ffmpeg
            .arg("-hls_segment_filename")
            .arg(folder.join("%02d.ts"));
        ffmpeg.arg(folder.join("index.m3u8"));
    }
    shell::run(&mut ffmpeg)
}

/// The master playlist; BANDWIDTH is the true peak over the segments, as RFC 8216 4.3.4.2 wants.
fn master(folder: &Path) -> Result<String> {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for rendition in &RENDITIONS {
        let sizes: Vec<u64> = segments(folder, rendition)
            .into_iter()
            .map(|it| it.1)
            .collect();
        ensure!(
            sizes.len() as u32 == CLIP_S / SEGMENT_S,
            "got {} segments",
            sizes.len()
        );
        let peak = sizes.iter().max().copied().unwrap_or(0) * 8 / u64::from(SEGMENT_S);
        let average = sizes.iter().sum::<u64>() * 8 / u64::from(CLIP_S);
        let Rendition {
            name,
            width,
            height,
            codec,
            ..
        } = rendition;
        write!(
            text,
            "#EXT-X-STREAM-INF:BANDWIDTH={peak},AVERAGE-BANDWIDTH={average},\
             RESOLUTION={width}x{height},FRAME-RATE={FRAMES_PER_S}.000,\
             CODECS=\"{codec},mp4a.40.2\"\n{name}/index.m3u8\n"
        )
        .context("text grows without bound")?;
    }
    Ok(text)
}

/// A rendition's segment files and their sizes.
fn segments(folder: &Path, rendition: &Rendition) -> Vec<(PathBuf, u64)> {
    let entries = fs::read_dir(folder.join(rendition.name))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter(|entry| entry.path().extension().is_some_and(|it| it == "ts"))
        .map(|entry| (entry.path(), entry.metadata().map_or(0, |it| it.len())))
        .collect()
}

/// A note a second, rising over four seconds, on a quiet fifth.
fn tone() -> String {
    format!(
        "aevalsrc='0.22*sin(2*PI*440*pow(2,mod(floor(t),4)/4)*t)*exp(-7*mod(t,1))\
         +0.05*sin(2*PI*220*t)+0.04*sin(2*PI*330*t)':s=48000:d={CLIP_S}"
    )
}

/// The filter graph of all renditions' pictures, labelled `[v0]`, `[v1]`.
fn picture() -> String {
    let [big, small] = &RENDITIONS;
    let Rendition { width, height, .. } = big;
    let clock = r"%{pts\:hms}";
    let count = format!(
        r"segment %{{eif\:floor(t/{SEGMENT_S})+1\:d}} of {}",
        CLIP_S / SEGMENT_S
    );
    let mut graph = honeycomb(*width, *height);
    for (size, colour, behind) in [
        (44, "0xF5B301@0.9", 0.0),
        (30, "0xFFD766@0.8", 0.32),
        (20, "0xFFE9AF@0.7", 0.56),
    ] {
        // They fly one ellipse in 8 s, a third of the clip.
        let angle = format!("(2*PI*t/8-{behind})");
        let x = format!("w/2-text_w/2+250*cos{angle}");
        let y = format!("178-text_h/2+118*sin{angle}");
        graph += &text("DejaVu Sans", "⬢", size, colour, &x, &y);
    }
    graph += &text("DejaVu Sans", "⬢", 26, "0xF5B301", "24", "20");
    graph += &text("DejaVu Sans", "BEEKEEPR", 22, "white", "54", "23");
    graph += &text("DejaVu Sans", "demo channel", 14, "0xC9B78C", "24", "54");
    graph += &text(
        "DejaVu Sans Mono",
        clock,
        54,
        "white",
        "(w-text_w)/2",
        "148",
    );
    graph += &text("DejaVu Sans", &count, 18, "0xF5B301", "(w-text_w)/2", "222");
    let bar = format!(
        "null[drawn];color=c=0xF5B301:s={width}x8:r={FRAMES_PER_S}:d={CLIP_S}[bar];\
         [drawn][bar]overlay=x='-{width}+{width}*t/{CLIP_S}':y={}:shortest=1,split[big][small];",
        height - 8
    );
    let label = |it: &Rendition, size: u32| {
        let boxed = format!(
            "0x1A150E:box=1:boxcolor=0xF5B301:boxborderw={}",
            size * 2 / 5
        );
        text("DejaVu Sans", it.name, size, &boxed, "w-text_w-24", "22")
    };
    graph
        + &bar
        + &format!("[big]{}null[v0];", label(big, 20))
        + &format!(
            "[small]scale={}:{}:flags=lanczos,",
            small.width, small.height
        )
        + &format!("{}null[v1]", label(small, 16))
}

/// One `drawtext` filter with the comma behind it. Fonts are those of Debian's fonts-dejavu-core.
fn text(font: &str, text: &str, size: u32, colour: &str, x: &str, y: &str) -> String {
    format!(
        "drawtext=font='{font}':text='{text}':fontsize={size}:fontcolor={colour}:x='{x}':y='{y}',"
    )
}

/// A still of hexagons on a dark ground, lighter at the top, as one filter chain with a comma at
/// its end. Computed once for the first frame, then repeated.
fn honeycomb(width: u32, height: u32) -> String {
    // The distance from the nearest of two interleaved grids' centres, measured in hexagons of
    // pitch 1: 0 in the middle, 0.5 at an edge.
    let distance = "st(0,mod(X/46,1)-0.5);st(1,mod(Y/46,1.7320508)-0.8660254);\
        st(2,mod(X/46-0.5,1)-0.5);st(3,mod(Y/46-0.8660254,1.7320508)-0.8660254);\
        st(4,lt(ld(0)*ld(0)+ld(1)*ld(1),ld(2)*ld(2)+ld(3)*ld(3)));\
        st(5,abs(if(ld(4),ld(0),ld(2))));st(6,abs(if(ld(4),ld(1),ld(3))));\
        st(7,max(ld(5),ld(5)*0.5+ld(6)*0.8660254));";
    let channel = |ground: u32, fall: u32, line: u32| {
        format!("'{distance}{ground}+{fall}*Y/H+{line}*clip((ld(7)-0.455)*50,0,1)*(1-0.55*Y/H)'")
    };
    format!(
        "color=c=black:s={width}x{height}:r={FRAMES_PER_S}:d=0.04,format=gbrp,\
         geq=r={}:g={}:b={},loop=loop=-1:size=1:start=0,setpts=N/{FRAMES_PER_S}/TB,\
         trim=duration={CLIP_S},format=yuv420p,",
        channel(26, 14, 34),
        channel(21, 8, 24),
        channel(14, 4, 6)
    )
}
