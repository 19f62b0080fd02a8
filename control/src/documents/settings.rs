//! What the operator sets at runtime.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Document;
use crate::store::Kind;

/// Letters of a currency's name at most.
const CURRENCY_CHARS_MAX: usize = 8;

/// A gigabyte costs less than that in any currency: a slip of the keyboard.
const PRICE_MICROS_MAX: i64 = 1_000_000_000_000;

/// The settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What a gigabyte (10^9 bytes) from the CDN costs, in millionths of the currency.
    pub price_per_gb_micros: i64,
    /// Its currency, `EUR` for example.
    pub currency: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            price_per_gb_micros: 50_000,
            currency: "USD".to_owned(),
        }
    }
}

impl Document for Settings {
    const KIND: Kind = Kind::Settings;
}

impl Settings {
    /// What types cannot express.
    ///
    /// # Errors
    /// A value is out of its range.
    pub fn check(&self) -> Result<(), String> {
        if !(0..=PRICE_MICROS_MAX).contains(&self.price_per_gb_micros) {
            let seen = self.price_per_gb_micros;
            return Err(format!(
                "price_per_gb_micros is {seen}, expected 0 to {PRICE_MICROS_MAX}"
            ));
        }
        let letters = self.currency.chars().count();
        if letters == 0 || letters > CURRENCY_CHARS_MAX {
            return Err(format!(
                "currency has {letters} letters, expected 1 to {CURRENCY_CHARS_MAX}, such as EUR"
            ));
        }
        Ok(())
    }
}
