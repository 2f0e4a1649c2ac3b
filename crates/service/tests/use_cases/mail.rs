//! Events are mailed to those who look after tokens: in one digest a day, once, whatever becomes of clocks, processes and mail servers.

use std::{sync::Arc, time::Duration};

use latchkey_domain::{
    Description, Email, EventKind, GroupDescription, GroupName, ProjectScope, TokenAttributes, TokenName,
    TokenOwner, TokenSecret, User, UserId, Username,
};
use latchkey_ports::{Clock as _, DeliveryOutcome, OutgoingMail, RecordingMailer};
use latchkey_service::{
    Caller, GroupDraft, Initiator, LeakReport, MailOutlet, MailSettings, Permit, PersonalTokenDraft,
    RoleReference, TokenDraft, UpdateProject, UseCases, UserDraft,
};

use crate::support::{PASSWORD, TestEnv, client_of, moment, project_id, system};

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// A process that sends mail, and its mail server.
struct Process {
    use_cases: UseCases,
    server: Arc<RecordingMailer>,
}

fn mail_settings(contact: Option<&str>, events: &[EventKind]) -> MailSettings {
    MailSettings {
        contact: contact.map(email),
        digest_at: "07:00".parse().expect("a time of day"),
        events: events.to_vec(),
    }
}

fn process(env: &TestEnv, settings: MailSettings) -> Process {
    let server = Arc::new(RecordingMailer::default());
    let outlet = MailOutlet { mailer: server.clone(), settings };
    Process { use_cases: env.mailing(outlet), server }
}

fn email(address: &str) -> Email {
    Email::new(address).expect("an address")
}

impl Process {
    async fn file(&self) -> usize {
        self.use_cases.mail.file().await.expect("filed")
    }

    /// Sends all that is due; returns what became of it.
    async fn send(&self) -> Vec<DeliveryOutcome> {
        let mut outcomes = Vec::new();
        loop {
            let claimed = self.use_cases.mail.claim(2).await.expect("claimed");
            if claimed.is_empty() {
                return outcomes;
            }
            for digest in claimed {
                let attempt = self.use_cases.mail.attempt(digest).await.expect("a way to send mail");
                assert!(self.use_cases.mail.end(&attempt).await.expect("recorded"));
                outcomes.push(attempt.outcome);
            }
        }
    }

    /// Returns the mail that arrived since the last call, by recipient.
    fn arrived(&self) -> Vec<OutgoingMail> {
        let mut arrived = self.server.take();
        arrived.sort_by_key(|mail| mail.to.key());
        arrived
    }

    /// Sends what is due, and returns the recipients with the number of events that each is told.
    async fn told(&self) -> Vec<(String, usize)> {
        self.send().await;
        let told = |mail: &OutgoingMail| (mail.to.to_string(), mail.text.matches(" UTC\n").count());
        self.arrived().iter().map(told).collect()
    }
}

fn told(expected: &[(&str, usize)]) -> Vec<(String, usize)> {
    expected.iter().map(|(to, number)| ((*to).to_owned(), *number)).collect()
}

async fn user(env: &TestEnv, name: &str) -> User {
    let draft = UserDraft {
        username: Username::new(name).ok(),
        email: Some(email(&format!("{name}@example.com"))),
        name: None,
        root_role: RoleReference::Name("Viewer".to_owned()),
        password: Some(PASSWORD.to_owned()),
    };
    env.use_cases.users.create(&system(), draft).await.expect("created")
}

/// Makes users owners of a project, the first by a role of their own, the second by a group.
async fn owned_by(env: &TestEnv, project: &str, [direct, by_group]: [UserId; 2]) {
    let draft = GroupDraft {
        name: GroupName::new(&format!("owners of {project}")).expect("a name"),
        description: GroupDescription::default(),
        sso_groups: Vec::new(),
        root_role: None,
        users: vec![by_group],
    };
    let group = env.use_cases.groups.create(&system(), &draft).await.expect("created").group.id;
    let permit = Permit::<UpdateProject>::request(&Caller::system(), project_id(project)).expect("may");
    let owner = [RoleReference::Name("Owner".to_owned())];
    env.use_cases.members.add(&permit, vec![direct], vec![group], &owner).await.expect("added");
}

/// A token of a project, whose owner reads so.
async fn token(env: &TestEnv, project: &str, owner: &str) -> TokenSecret {
    let attributes = TokenAttributes {
        owner: Some(TokenOwner::new(owner).expect("a text")),
        ..TokenAttributes::default()
    };
    let access = client_of(ProjectScope::one(project_id(project)));
    let draft = TokenDraft { attributes, ..TokenDraft::new(TokenName::new("web").expect("a name"), access) };
    let issued = env.use_cases.issuer.issue(draft, &Initiator::system()).await.expect("issued");
    issued.secret.expect("shown")
}

async fn leak(env: &TestEnv, secret: &TokenSecret) {
    let report =
        LeakReport { secret: secret.clone(), url: Some("https://example.com/x".to_owned()), source: None };
    let leaked = env.use_cases.leaks.report(&system(), &[report]).await.expect("reported");
    assert!(leaked.iter().all(Option::is_some), "{leaked:?}");
}

/// An environment at 22:13 UTC with a token of a project with two owners, that belongs to `Ops@example.com`.
async fn env() -> (TestEnv, TokenSecret) {
    let env = TestEnv::new();
    env.project("shop").await;
    let (ed, al) = (user(&env, "ed").await.id, user(&env, "al").await.id);
    owned_by(&env, "shop", [ed, al]).await;
    user(&env, "stranger").await;
    let secret = token(&env, "shop", "Ops@example.com").await;
    (env, secret)
}

/// Moves the clock to 07:00 of the day after the first one.
fn until_seven(env: &TestEnv) {
    let seven = moment(1_700_031_600_000);
    let left = seven.millis() - env.clock.now().millis();
    env.clock.advance(Duration::from_millis(u64::try_from(left).expect("in the future")));
}

/// A process that has filed a leak of the token, at the moment at which its digests are due.
async fn due(env: &TestEnv, secret: &TokenSecret) -> Process {
    let process = process(env, mail_settings(None, &[]));
    leak(env, secret).await;
    process.file().await;
    until_seven(env);
    process
}

#[tokio::test]
async fn all_who_look_after_a_token_get_one_digest_a_day() {
    let (env, secret) = env().await;
    let process = process(&env, mail_settings(Some("contact@example.com"), &[]));
    leak(&env, &secret).await;
    assert_eq!((process.file().await, process.file().await), (4, 0), "each event once");
    leak(&env, &secret).await;
    assert_eq!(process.file().await, 4);
    env.clock.advance(HOUR);
    assert!(process.send().await.is_empty(), "it is not seven yet");
    until_seven(&env);
    assert_eq!(process.use_cases.mail.count_due().await.expect("counted"), 4);
    assert_eq!(process.send().await, [DeliveryOutcome::Delivered; 4]);
    assert_eq!(process.use_cases.mail.count_due().await.expect("counted"), 0);
    let arrived = process.arrived();
    let recipients: Vec<_> = arrived.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(recipients, ["al@example.com", "contact@example.com", "ed@example.com", "Ops@example.com"]);
    for mail in &arrived {
        assert_eq!(mail.subject, "Latchkey, 2023-11-15: 2 events");
        for text in [&mail.text, &mail.html] {
            assert!(
                text.contains("has leaked") && text.contains("project shop; environment development"),
                "{text}"
            );
            assert!(!text.contains(secret.reveal()), "{text}");
        }
    }
    leak(&env, &secret).await;
    assert_eq!(process.file().await, 4);
    env.clock.advance(DAY.saturating_sub(Duration::from_secs(1)));
    assert!(process.send().await.is_empty(), "one a day");
    env.clock.advance(Duration::from_secs(1));
    assert_eq!(process.send().await.len(), 4);
    let ids: std::collections::BTreeSet<_> =
        arrived.iter().chain(&process.arrived()).map(|mail| mail.message_id.clone()).collect();
    assert_eq!(ids.len(), 8, "each message has an id of its own");
}

#[tokio::test]
async fn one_address_is_one_recipient() {
    let (env, _) = env().await;
    let process = process(&env, mail_settings(Some("ED@example.com"), &[]));
    leak(&env, &token(&env, "shop", " eD@Example.Com ").await).await;
    leak(&env, &token(&env, "shop", "the web team").await).await;
    process.file().await;
    until_seven(&env);
    assert_eq!(process.told().await, told(&[("al@example.com", 2), ("ed@example.com", 2)]));
}

#[tokio::test]
async fn two_processes_say_all_once() {
    let (env, secret) = env().await;
    let (one, other) = (process(&env, mail_settings(None, &[])), process(&env, mail_settings(None, &[])));
    for number in 0..6 {
        leak(&env, &secret).await;
        let filed = tokio::join!(one.file(), other.file());
        assert_eq!(filed.0 + filed.1, 3, "{number}");
    }
    until_seven(&env);
    let (first, second) = tokio::join!(one.told(), other.told());
    let mut all = [first, second].concat();
    all.sort();
    assert_eq!(all, told(&[("Ops@example.com", 6), ("al@example.com", 6), ("ed@example.com", 6)]));
}

#[tokio::test]
async fn a_clock_that_goes_back_repeats_nothing() {
    let (env, secret) = env().await;
    let process = due(&env, &secret).await;
    assert_eq!(process.told().await.len(), 3);
    env.clock.set_back(Duration::from_secs(600));
    leak(&env, &secret).await;
    assert_eq!(process.file().await, 3);
    env.clock.advance(HOUR);
    assert!(process.told().await.is_empty(), "those of this day were sent");
    env.clock.advance(DAY);
    assert_eq!(
        process.told().await,
        told(&[("al@example.com", 1), ("ed@example.com", 1), ("Ops@example.com", 1)])
    );
    // A clock that was a year ahead for a moment keeps nothing back for a year.
    env.clock.advance(365 * DAY);
    assert_eq!((process.file().await, process.told().await.len()), (0, 0));
    env.clock.set_back(365 * DAY);
    leak(&env, &secret).await;
    process.file().await;
    env.clock.advance(DAY);
    assert_eq!(process.told().await.len(), 3);
}

#[tokio::test]
async fn what_was_not_sent_is_sent_again_as_it_was() {
    let (env, secret) = env().await;
    let process = due(&env, &secret).await;
    process.server.refuse(true);
    let retries = process.send().await;
    assert!(retries.iter().all(|outcome| matches!(outcome, DeliveryOutcome::Retry(_))), "{retries:?}");
    let first = process.arrived();
    assert!(process.send().await.is_empty(), "there is a pause");
    leak(&env, &secret).await;
    process.file().await;
    process.server.refuse(false);
    env.clock.advance(Duration::from_secs(75));
    assert_eq!(process.send().await, [DeliveryOutcome::Delivered; 3]);
    let second = process.arrived();
    let said = |mails: &[OutgoingMail]| {
        let said = |mail: &OutgoingMail| (mail.message_id.clone(), mail.subject.clone(), mail.text.clone());
        mails.iter().map(said).collect::<Vec<_>>()
    };
    assert_eq!((first.len(), said(&first)), (3, said(&second)));
    env.clock.advance(DAY);
    assert_eq!(process.told().await.len(), 3, "what came meanwhile is said on the next day");
}

/// A process that ends between sending and recording.
#[tokio::test]
async fn what_was_sent_without_a_record_is_the_same_message_again() {
    let (env, secret) = env().await;
    let process = due(&env, &secret).await;
    let claimed = process.use_cases.mail.claim(9).await.expect("claimed");
    for digest in claimed {
        process.use_cases.mail.attempt(digest).await.expect("sent");
    }
    let ids = |mails: Vec<OutgoingMail>| mails.into_iter().map(|mail| mail.message_id).collect::<Vec<_>>();
    let first = ids(process.arrived());
    assert!(process.send().await.is_empty(), "they are claimed");
    env.clock.advance(Duration::from_secs(300));
    assert_eq!(process.send().await, [DeliveryOutcome::Delivered; 3]);
    assert_eq!((first.len(), first), (3, ids(process.arrived())));
}

#[tokio::test]
async fn a_digest_is_given_up_after_three_days() {
    let (env, secret) = env().await;
    let process = process(&env, mail_settings(None, &[]));
    process.server.refuse(true);
    leak(&env, &secret).await;
    process.file().await;
    until_seven(&env);
    let began = env.clock.now();
    let (mut attempts, mut failed) = (0, 0);
    while failed < 3 {
        let outcomes = process.send().await;
        attempts += outcomes.len();
        failed += outcomes.iter().filter(|outcome| **outcome == DeliveryOutcome::Failed).count();
        env.clock.advance(Duration::from_secs(60));
        assert!(attempts < 100, "the pauses get longer");
    }
    let took = env.clock.now().millis() - began.millis();
    assert!((2 * 86_400_000..=3 * 86_400_000).contains(&took), "{took}");
    assert!(attempts > 3 * 12, "{attempts}");
    process.server.refuse(false);
    env.clock.advance(DAY);
    assert!(process.send().await.is_empty(), "it was given up");
}

#[tokio::test]
async fn without_a_server_nothing_is_filed_and_old_events_are_no_news_later() {
    let (env, secret) = env().await;
    leak(&env, &secret).await;
    assert!(!env.use_cases.mail.has_outlet());
    assert_eq!(env.use_cases.mail.file().await.expect("nothing"), 0);
    assert!(env.use_cases.mail.claim(9).await.expect("nothing").is_empty());
    env.clock.advance(2 * DAY);
    leak(&env, &secret).await;
    env.clock.advance(2 * DAY);
    let process = process(&env, mail_settings(None, &[]));
    assert_eq!(process.file().await, 3, "of the leak of two days ago");
    env.clock.advance(DAY);
    assert_eq!(process.told().await.len(), 3);
}

#[tokio::test]
async fn other_events_are_mailed_by_choice() {
    let env = TestEnv::new();
    env.project("shop").await;
    let settings =
        mail_settings(Some("contact@example.com"), &[EventKind::ApiTokenCreated, EventKind::UserCreated]);
    let process = process(&env, settings);
    token(&env, "shop", "ops@example.com").await;
    user(&env, "ed").await;
    assert_eq!(process.file().await, 3);
    until_seven(&env);
    process.send().await;
    let arrived = process.arrived();
    let [contact, ops] = &*arrived else { panic!("{arrived:?}") };
    assert!(contact.text.contains("\napi-token-created\n") && contact.text.contains("\nuser-created\n"));
    assert!(ops.text.contains("\napi-token-created\n") && !ops.text.contains("user-created"), "{}", ops.text);
}

#[tokio::test]
async fn a_leaked_personal_token_is_told_to_its_user() {
    let env = TestEnv::new();
    let process = process(&env, mail_settings(None, &[]));
    let ed = user(&env, "ed").await;
    let draft = PersonalTokenDraft {
        description: Description::new("ci").expect("text"),
        expires_at: moment(1_800_000_000_000),
    };
    let issued = env.use_cases.personal_tokens.create_for(&system(), ed.id, draft).await.expect("issued");
    leak(&env, &issued.secret).await;
    assert_eq!(process.file().await, 1);
    until_seven(&env);
    process.send().await;
    let arrived = process.arrived();
    assert_eq!(arrived[0].to.as_str(), "ed@example.com");
    let expected = format!("Personal access token \"ci\" (user {}) has leaked", ed.id);
    assert!(arrived[0].text.contains(&expected), "{}", arrived[0].text);
}

#[tokio::test]
async fn digests_are_swept_after_thirty_days() {
    let (env, secret) = env().await;
    let process = due(&env, &secret).await;
    assert_eq!(process.told().await.len(), 3);
    env.clock.advance(30 * DAY);
    assert_eq!(process.use_cases.sweep().await.expect("swept"), 0);
    env.clock.advance(Duration::from_millis(1));
    assert_eq!(process.use_cases.sweep().await.expect("swept"), 3);
}
