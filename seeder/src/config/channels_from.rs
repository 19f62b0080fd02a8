//! Where channels come from that are not in the configuration.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::token_source::TokenSource;
use super::urls::ControlUrl;

/// The control server's list of channels (docs/protocol/channels.md).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelsFrom {
    /// Its address.
    pub url: ControlUrl,
    /// File with the key that control wants. Read again for each request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Gives the key where there is no file: the process of which both are parts.
    #[serde(skip)]
    pub key_source: Option<TokenSource>,
    /// Where the last list is kept, so that a restart without control still seeds. It has the channels' credentials in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_file: Option<PathBuf>,
}
