//! The examples of RFC 7515 appendix A and RFC 8037 appendix A.

use beekeepr_trust::{KeySet, Policy, TokenError, Unverified};

use crate::util::Ring;

/// `{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}`
const PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const HS256_KEY: &str = concat!(
    r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9"#,
    r#"CAow"}"#
);
const HS256: [&str; 2] = [
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
];

const RS256_KEY: &str = concat!(
    r#"{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPM"#,
    "EzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGz",
    "jb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5Zw",
    r#"Kh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQA"#,
    r#"B"}"#,
);
const RS256: [&str; 2] = [
    "eyJhbGciOiJSUzI1NiJ9",
    concat!(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9",
        "uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K",
        "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgG",
        "Y9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    ),
];

const ES256_KEY: &str = concat!(
    r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
    r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
);
const ES256: [&str; 2] = [
    "eyJhbGciOiJFUzI1NiJ9",
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
];

const EDDSA_KEY: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

fn token([header, signature]: [&str; 2]) -> String {
    format!("{header}.{PAYLOAD}.{signature}")
}

#[test]
fn the_examples_of_rfc_7515_are_verified() {
    for (key, parts) in [(HS256_KEY, HS256), (RS256_KEY, RS256), (ES256_KEY, ES256)] {
        let keys = KeySet::read(key.as_bytes()).unwrap();
        let token = token(parts);
        let verified = Unverified::read(&token)
            .unwrap()
            .verified(&keys, &Ring)
            .unwrap();
        assert_eq!(verified.claims.iss.as_deref(), Some("joe"));
        assert_eq!(verified.claims.exp, Some(1_300_819_380));
        let grant = |now_s| Policy::default().grant(verified.clone(), now_s);
        assert!(grant(1_300_819_379).is_ok());
        assert_eq!(grant(1_300_819_380), Err(TokenError::Expired(0)));
    }
}

#[test]
fn a_changed_example_is_not() {
    for (key, parts) in [(HS256_KEY, HS256), (RS256_KEY, RS256), (ES256_KEY, ES256)] {
        let keys = KeySet::read(key.as_bytes()).unwrap();
        let token = token(parts).replace(".eyJpc3MiOiJqb2Ui", ".eyJpc3MiOiJqb2Uj");
        let refused = Unverified::read(&token).unwrap().verified(&keys, &Ring);
        assert_eq!(refused.unwrap_err(), TokenError::BadSignature);
    }
}

/// Its payload is a sentence: the signature is good, the claims are no JSON.
#[test]
fn the_example_of_rfc_8037_is_verified() {
    let keys = KeySet::read(EDDSA_KEY.as_bytes()).unwrap();
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
        hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let read = |token: &str| Unverified::read(token).unwrap().verified(&keys, &Ring);
    assert!(matches!(read(token), Err(TokenError::Json(_))));
    let changed = token.replace(".hgyY", ".hgyZ");
    assert_eq!(read(&changed), Err(TokenError::BadSignature));
}
