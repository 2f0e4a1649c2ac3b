//! The list of tokens as CSV, without secrets.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    web::Bytes,
};
use futures_util::{StreamExt as _, stream};
use latchkey_http::pages::{ApiError, ApiResult, Query, TokenQuery};
use latchkey_service::{TokenFilter, TokenPage, TokenPortions};

use super::{
    list::{Address, Row, filter},
    reach::Reach,
};
use crate::visitor::Visitor;
use latchkey_domain::Timestamp;

const HEADER: &str =
    "id,name,type,projects,environment,status,createdAt,expiresAt,lastUsedAt,owner,description\r\n";

/// Returns every token that the list has, of which a page shows 50. Read in portions, so that a list of any length takes
/// bounded memory.
pub(super) async fn csv(visitor: Visitor, reach: Reach, query: Query<TokenQuery>) -> ApiResult {
    let address = Address::of(&reach.path(), &visitor.browser.target);
    let now = visitor.use_cases().now();
    let filter = TokenFilter { limit: None, ..filter(&query, &address, now)? };
    let TokenPage { tokens, rest, .. } = reach.search(&visitor, filter).await?;
    let mut start = HEADER.to_owned();
    for token in tokens {
        line(&mut start, &Row::of(token.token, now));
    }
    let rest = stream::try_unfold(rest, move |rest: Option<TokenPortions>| async move {
        let Some(rest) = rest else { return Ok::<_, ApiError>(None) };
        let TokenPage { tokens, rest, .. } = rest.read().await?;
        let mut text = String::new();
        for token in tokens {
            line(&mut text, &Row::of(token.token, now));
        }
        Ok(Some((Bytes::from(text), rest)))
    });
    let body = stream::iter([Ok(Bytes::from(start))]).chain(rest);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"tokens.csv\""))
        .streaming(body))
}

fn line(text: &mut String, row: &Row) {
    let token = &row.token;
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string()).unwrap_or_default();
    let attributes = &token.attributes;
    let projects = row.projects();
    let fields = [
        token.id.to_string(),
        token.name.as_str().to_owned(),
        token.access.kind().as_str().to_owned(),
        if projects.is_empty() { "*".to_owned() } else { projects.join(" ") },
        token.access.environment().map_or("*", |environment| environment.as_str()).to_owned(),
        row.state.as_str().to_owned(),
        token.created_at.to_string(),
        moment(token.expires_at),
        moment(token.last_used_at),
        attributes.owner.as_ref().map(ToString::to_string).unwrap_or_default(),
        attributes.description.as_ref().map(ToString::to_string).unwrap_or_default(),
    ];
    let fields: Vec<_> = fields.iter().map(|field| quoted(field)).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

/// Returns a field as RFC 4180 has it. A text that a spreadsheet would take for a formula is marked as text.
fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if is_formula { format!("'{field}") } else { field.to_owned() };
    if field.contains(['"', ',', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn fields_are_quoted_and_are_no_formulas() {
        assert_eq!(quoted("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(quoted("=HYPERLINK(1)"), "'=HYPERLINK(1)");
        assert_eq!(quoted("shop"), "shop");
    }
}
