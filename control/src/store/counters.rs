//! The figures of one channel in one span of time: declared once, for the table, the API and the exports.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! counters {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// What is counted of a channel. Everything adds up over time and channels; of `viewers_max` the largest counts over
        /// time.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct Counters {
            $($(#[doc = $doc])+ pub $name: i64,)+
        }

        impl Counters {
            /// The columns, in the order of [`Counters::values`].
            pub const NAMES: &[&str] = &[$(stringify!($name)),+];

            /// The values in the order of [`Counters::NAMES`].
            #[must_use]
            pub fn values(&self) -> Vec<i64> {
                vec![$(self.$name),+]
            }

            /// Counters with these values; what is missing is 0.
            #[must_use]
            pub fn from_values(values: &[i64]) -> Self {
                let mut values = values.iter().copied();
                Self { $($name: values.next().unwrap_or_default()),+ }
            }

            /// Adds the figures of another channel or of a later time.
            pub fn add(&mut self, other: &Self) {
                let viewers_max = self.viewers_max.max(other.viewers_max);
                $(self.$name = self.$name.saturating_add(other.$name);)+
                self.viewers_max = viewers_max;
            }
        }
    };
}

counters! {
    /// Seconds watched by all viewers together; divided by the span's length the mean number of viewers.
    viewer_s,
    /// Most viewers at a time.
    viewers_max,
    /// Bytes that viewers fetched over HTTP.
    http_bytes,
    /// Bytes that viewers got from viewers.
    peer_bytes,
    /// Bytes that viewers got from super-peers.
    super_peer_bytes,
    /// Bytes that viewers say they gave others.
    uploaded_bytes,
    /// Bytes from peers and super-peers that nobody else's figures bear out; they are not savings.
    unproven_bytes,
    /// Bytes that our seeders fetched from the origin.
    seeder_fetched_bytes,
    /// Bytes that our seeders sent.
    seeder_sent_bytes,
    /// Times that playback stood still.
    stalls,
    /// For how long in all, in milliseconds.
    stalled_ms,
    /// Viewers that saw a first frame.
    starts,
    /// What they waited for it in all, in milliseconds.
    start_ms,
    /// Starts within a quarter of a second.
    starts_250,
    /// Starts within half a second, those before not counted; and so on.
    starts_500,
    /// Starts within one second.
    starts_1000,
    /// Starts within two seconds.
    starts_2000,
    /// Starts within four seconds.
    starts_4000,
    /// Seconds watched at up to 270 lines.
    lines_270_s,
    /// Seconds watched at up to 400 lines.
    lines_400_s,
    /// Seconds watched at up to 576 lines.
    lines_576_s,
    /// Seconds watched at up to 800 lines.
    lines_800_s,
    /// Seconds watched at up to 1200 lines.
    lines_1200_s,
    /// Seconds watched with more lines.
    lines_more_s,
    /// Reports of viewers that were counted.
    beacons,
    /// Reports that were refused.
    refused,
}

impl Counters {
    /// The one figure that does not add up over time.
    pub const LARGEST: &str = "viewers_max";

    /// Whether nothing happened.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// Counts a start that took so long.
    pub fn started(&mut self, ms: i64, weight: i64) {
        self.starts += weight;
        self.start_ms += ms * weight;
        match ms {
            ..=250 => self.starts_250 += weight,
            251..=500 => self.starts_500 += weight,
            501..=1000 => self.starts_1000 += weight,
            1001..=2000 => self.starts_2000 += weight,
            2001..=4000 => self.starts_4000 += weight,
            _ => (),
        }
    }

    /// Counts seconds watched at a height in lines.
    pub fn watched(&mut self, lines: u32, seconds: i64) {
        let bucket = match lines {
            ..=270 => &mut self.lines_270_s,
            271..=400 => &mut self.lines_400_s,
            401..=576 => &mut self.lines_576_s,
            577..=800 => &mut self.lines_800_s,
            801..=1200 => &mut self.lines_1200_s,
            _ => &mut self.lines_more_s,
        };
        *bucket += seconds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_adds_up_and_the_largest_stays() {
        let one = Counters {
            viewers_max: 5,
            http_bytes: 1,
            ..Counters::default()
        };
        let mut sum = Counters {
            viewers_max: 3,
            http_bytes: 2,
            ..Counters::default()
        };
        sum.add(&one);
        assert_eq!((sum.viewers_max, sum.http_bytes), (5, 3));
        assert_eq!(Counters::from_values(&sum.values()), sum);
        assert_eq!(Counters::NAMES.len(), sum.values().len());
    }
}
