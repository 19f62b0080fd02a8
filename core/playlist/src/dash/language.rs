//! The two-letter form of a language, as Shaka gives it to p2p-media-loader.

/// ISO 639-2 codes (both forms, where there are two) whose ISO 639-1 code is not their first two letters, with that
/// code. All others p2p-media-loader cuts to two letters itself.
const CODES: &str = "albsq argan armhy aveae bambm baqeu benbn bihbh bosbs bulbg burmy cescs chece chizh chucu chvcv \
    corkw czecs divdv dutnl epoeo estet eweee faofo fijfj fryfy fulff geoka gerde glagd glega glvgv greel grngn \
    hatht herhz hmoho iboig iceis idoio ikuiu ileie inaia indid ipkik javjv jpnja kalkl kankn kasks kaukr kazkk \
    khmkm kinrw kirky komkv konkg kuakj laolo lavlv linln litlt ltzlb luglg macmk mahmh malml maomi marmr mayms \
    mlgmg mltmt monmn mrimi navnv nblnr ndong nobnb ormom perfa plipi polpl porpt pusps rohrm rumro runrn sagsg \
    slksk slosk smese sndsd sotst spaes srdsc swesv tahty tattt tgltl tibbo tsntn tuktk turtr uigug welcy wlnwa zhaza";

/// A language tag without what p2p-media-loader would not look at.
pub(crate) fn short(tag: &str) -> String {
    let code = tag.split('-').next().unwrap_or(tag).to_ascii_lowercase();
    let known = CODES.split(' ').find(|entry| entry.get(..3) == Some(&code));
    match known.and_then(|entry| entry.get(3..)) {
        Some(short) => short.to_owned(),
        None => code,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_letters_become_two_where_cutting_would_not_do() {
        let cases = [
            ("ger", "de"),
            ("DEU", "deu"),
            ("spa-MX", "es"),
            ("en-US", "en"),
            ("und", "und"),
            ("swe", "sv"),
        ];
        for (tag, code) in cases {
            assert_eq!(short(tag), code);
        }
    }
}
