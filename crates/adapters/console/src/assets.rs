//! What a browser loads beside the pages: scripts, the stylesheet and the icon. They are in the binary, named by the hash of
//! their content, and kept by browsers for a year.

use std::{io::Write as _, sync::LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue, VARY,
    },
    web::{self, Bytes, ServiceConfig},
};
use flate2::{Compression, write::GzEncoder};
use latchkey_http::pages::{ApiError, ApiResult};
use sha2::{Digest as _, Sha256};

/// A file, as it is compiled in.
struct Source {
    name: &'static str,
    kind: &'static str,
    content: &'static [u8],
}

macro_rules! sources {
    ($($field:ident: $name:literal as $kind:literal;)*) => {
        /// The addresses of all files.
        pub(crate) struct Assets {
            $(pub(crate) $field: Asset,)*
        }

        static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
            $($field: Asset::of(&Source {
                name: $name,
                kind: $kind,
                content: include_bytes!(concat!("../static/", $name)),
            }),)*
        });

        impl Assets {
            fn all(&self) -> impl Iterator<Item = &Asset> {
                [$(&self.$field),*].into_iter()
            }
        }
    };
}

sources! {
    style: "console.css" as "text/css; charset=utf-8";
    script: "console.js" as "text/javascript; charset=utf-8";
    htmx: "htmx.min.js" as "text/javascript; charset=utf-8";
    icon: "icon.svg" as "image/svg+xml";
}

/// Returns the files. They are hashed and compressed when the first page is asked for, so that a server starts no later for them.
pub(crate) fn assets() -> &'static Assets {
    &ASSETS
}

/// A file as it is served.
pub(crate) struct Asset {
    /// Its path.
    pub(crate) path: String,
    file: String,
    kind: &'static str,
    content: &'static [u8],
    compressed: Bytes,
}

impl Asset {
    fn of(source: &Source) -> Self {
        let hash = Sha256::digest(source.content);
        let hash = short(&hash);
        let (stem, end) = source.name.rsplit_once('.').unwrap_or((source.name, ""));
        let file = format!("{stem}.{hash}.{end}");
        Self {
            path: format!("{}/{file}", path!("assets")),
            file,
            kind: source.kind,
            content: source.content,
            compressed: compressed(source.content, Compression::best()).into(),
        }
    }
}

/// Returns the beginning of a digest as text.
pub(crate) fn short(digest: &[u8]) -> String {
    let first = digest.first_chunk().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(first))
}

/// Returns bytes as gzip (RFC 1952).
pub(crate) fn compressed(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), level);
    // Writing to memory cannot fail; an empty body would show that it did.
    encoder.write_all(bytes).and_then(|()| encoder.finish()).unwrap_or_default()
}

/// Returns whether a browser accepts gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.route(path!("assets/{file}"), web::get().to(serve));
}

async fn serve(request: HttpRequest) -> ApiResult {
    let file = request.match_info().query("file");
    let Some(asset) = assets().all().find(|asset| asset.file == file) else {
        return Err(ApiError::UnknownPath(request.path().to_owned()));
    };
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, asset.kind))
        .insert_header((VARY, "accept-encoding"))
        .insert_header((CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")));
    if accepts_gzip(request.headers()) {
        return Ok(response.insert_header((CONTENT_ENCODING, "gzip")).body(asset.compressed.clone()));
    }
    Ok(response.body(asset.content))
}
