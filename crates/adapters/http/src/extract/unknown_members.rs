//! Members of a body that are not known: what is nearly the name of a known one is refused, because its sender would take it for
//! obeyed, and any other is ignored and named in a warning.
//!
//! What is known is what the body's schema in the OpenAPI document says, so that nothing has to be declared twice.

use std::{
    any::TypeId,
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use actix_web::HttpRequest;
use deserr::ValuePointerRef as Location;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{AdditionalProperties, ArrayItems},
    },
};

use super::{
    problems::Problems,
    spelling::{meant, not_known},
};
use crate::warnings::{MemberName, Warning, Warnings};

/// The members of an object that are known.
#[derive(Debug)]
struct Known {
    /// Each with what is known of the object that it holds, or of the objects in its list.
    members: BTreeMap<String, Option<Known>>,
    /// Whether the type that reads the object refuses all others itself.
    refuses_others: bool,
}

/// What is known of the types of bodies, which is worked out once for each.
static KNOWN: LazyLock<RwLock<HashMap<TypeId, Option<Arc<Known>>>>> = LazyLock::new(RwLock::default);

/// The most comparisons of names in one body, of which each takes about a microsecond: a body of 1 MiB has room for 75,000 names.
/// The same name at the same place, in another entry of a list, needs no other.
const MAX_COMPARED: usize = 1_000;

/// Looks for members that are not known in one body.
pub(super) struct Inspector {
    warnings: Warnings,
    /// How many more names are compared.
    left: Cell<usize>,
    /// The names that are like none that is known.
    others: RefCell<HashSet<MemberName>>,
}

impl Inspector {
    /// An inspector of the body of this request.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let warnings = Warnings::of(request);
        Self { warnings, left: Cell::new(MAX_COMPARED), others: RefCell::default() }
    }

    /// Looks at the members of the body, or of an entry of this list in it. Returns the problems with those that are misspelt, and
    /// warns of the others.
    pub(super) fn inspect<T: ToSchema + 'static>(
        &self,
        members: &Map<String, Value>,
        list: Option<&str>,
    ) -> Problems {
        let mut inspection = Inspection { inspector: self, list, problems: Problems::default() };
        if let Some(known) = Known::of::<T>() {
            inspection.object(&known, members, Location::Origin.push_key("body"));
        }
        inspection.problems
    }
}

/// Returns whether a body can have members that are ignored with a warning.
pub(crate) fn warns<T: ToSchema + 'static>() -> bool {
    Known::of::<T>().is_some_and(|known| known.warns())
}

impl Known {
    /// Returns what is known of a type; `None` if it takes members of any name.
    fn of<T: ToSchema + 'static>() -> Option<Arc<Self>> {
        let id = TypeId::of::<T>();
        if let Some(found) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return found.clone();
        }
        let mut named = Vec::new();
        T::schemas(&mut named);
        let found = Self::read(&T::schema(), &named.into_iter().collect()).map(Arc::new);
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(found).clone()
    }

    fn read(schema: &RefOr<Schema>, named: &BTreeMap<String, RefOr<Schema>>) -> Option<Self> {
        match schema {
            RefOr::Ref(reference) => {
                let name = reference.ref_location.rsplit('/').next()?;
                Self::read(named.get(name)?, named)
            }
            RefOr::T(Schema::Object(object)) => {
                let refuses_others = match object.additional_properties.as_deref() {
                    None => false,
                    Some(AdditionalProperties::FreeForm(false)) => true,
                    Some(_) => return None,
                };
                let members = object.properties.iter();
                let members: BTreeMap<_, _> =
                    members.map(|(name, schema)| (name.clone(), Self::read(schema, named))).collect();
                (!members.is_empty()).then_some(Self { members, refuses_others })
            }
            RefOr::T(Schema::Array(array)) => match &array.items {
                ArrayItems::RefOrSchema(entry) => Self::read(entry, named),
                ArrayItems::False => None,
            },
            // What may be null is one of null and the rest.
            RefOr::T(Schema::OneOf(one_of)) => one_of.items.iter().find_map(|one| Self::read(one, named)),
            RefOr::T(_) => None,
        }
    }

    fn warns(&self) -> bool {
        !self.refuses_others || self.members.values().flatten().any(Self::warns)
    }
}

/// The inspection of one object, with those in it.
struct Inspection<'i> {
    inspector: &'i Inspector,
    /// The list in the body that the object is an entry of.
    list: Option<&'i str>,
    problems: Problems,
}

impl Inspection<'_> {
    fn object(&mut self, known: &Known, members: &Map<String, Value>, place: Location<'_>) {
        for (name, value) in members {
            let place = place.push_key(name);
            match known.members.get(name) {
                Some(Some(inner)) => self.value(inner, value, place),
                Some(None) => {}
                None if known.refuses_others => {}
                None => self.unknown(known, name, place),
            }
        }
    }

    fn value(&mut self, known: &Known, value: &Value, place: Location<'_>) {
        match value {
            Value::Object(members) => self.object(known, members, place),
            Value::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    if let Value::Object(members) = entry {
                        self.object(known, members, place.push_index(index));
                    }
                }
            }
            _ => {}
        }
    }

    fn unknown(&mut self, known: &Known, name: &str, place: Location<'_>) {
        let Inspector { warnings, left, others } = self.inspector;
        let Some(fewer) = left.get().checked_sub(1) else { return };
        // It may be cut, but what is as long is like no known name.
        let full_name = MemberName::new(self.list.into_iter().chain(names(place)));
        if others.borrow().contains(&full_name) {
            return;
        }
        left.set(fewer);
        if let Some(known) = meant(name, known.members.keys().map(String::as_str)) {
            self.problems.extend(Problems::at(place, not_known(name, Some(known))));
        } else {
            warnings.add(Warning::UnknownMember(full_name.clone()));
            others.borrow_mut().insert(full_name);
        }
    }
}

/// Returns the names of the members on the way to a place in the body.
fn names(mut place: Location<'_>) -> Vec<&str> {
    let mut names = Vec::new();
    loop {
        place = match place {
            Location::Origin => break,
            Location::Key { key, prev } => {
                names.push(key);
                *prev
            }
            Location::Index { prev, .. } => *prev,
        };
    }
    // The last one found is that of the body itself.
    names.pop();
    names.reverse();
    names
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;
    use crate::error::ApiError;

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Outer {
        title: String,
        inner: Option<Inner>,
        entries: Vec<Inner>,
        closed: Closed,
        #[schema(value_type = Object)]
        anything: Value,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Inner {
        environment: String,
    }

    #[derive(ToSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    struct Closed {
        environment: String,
    }

    fn problems(body: Value) -> Vec<(String, String)> {
        let Value::Object(members) = body else { return Vec::new() };
        let inspector = Inspector::of(&TestRequest::default().to_http_request());
        let ApiError::BadInput(details) = inspector.inspect::<Outer>(&members, None).into() else {
            return Vec::new();
        };
        details
            .into_iter()
            .map(|detail| (detail.path.unwrap_or_default(), detail.message.to_string()))
            .collect()
    }

    #[test]
    fn misspelt_members_are_found_wherever_they_are() {
        let found = problems(json!({
            "titel": "",
            "inner": {"enviroment": ""},
            "entries": [{"environment": ""}, {"Environment": ""}, 1],
        }));
        let expected = [
            ("/body/entries", "Environment is not known here: did you mean environment?"),
            ("/body/inner/enviroment", "enviroment is not known here: did you mean environment?"),
            ("/body/titel", "titel is not known here: did you mean title?"),
        ];
        assert_eq!(found, expected.map(|(path, message)| (path.to_owned(), message.to_owned())));
    }

    #[test]
    fn objects_of_any_members_and_those_that_refuse_others_are_let_alone() {
        let body = json!({"anything": {"titel": 1}, "closed": {"enviroment": 1}, "inner": null, "zzz": {"titel": 1}});
        assert_eq!(problems(body), []);
    }

    #[test]
    fn the_effort_is_bounded_and_what_repeats_costs_nothing() {
        let inspector = Inspector::of(&TestRequest::default().to_http_request());
        let count = |members: Vec<(String, Value)>| {
            inspector.inspect::<Outer>(&members.into_iter().collect(), None);
            inspector.left.get()
        };
        let many =
            |from: usize, to: usize| (from..to).map(|number| (format!("m{number}"), json!(1))).collect();
        assert_eq!(count(many(0, 600)), MAX_COMPARED - 600);
        assert_eq!(count(many(0, 600)), MAX_COMPARED - 600);
        assert_eq!(count(vec![("titel".to_owned(), json!(1))]), MAX_COMPARED - 601);
        assert_eq!(count(many(600, 75_000)), 0);
    }

    #[test]
    fn a_place_has_the_names_of_the_members_on_the_way() {
        let place = Location::Origin;
        let place = place.push_key("body");
        let place = place.push_key("entries");
        let place = place.push_index(3);
        assert_eq!(names(place.push_key("foo")), ["entries", "foo"]);
    }
}
