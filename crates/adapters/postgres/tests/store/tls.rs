//! TLS to the server: a good certificate, another host's, another authority's, an expired one, a server without TLS, and
//! client certificates.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Command,
};

use latchkey_domain::ProjectId;
use latchkey_ports::{ErrorChain, EventRepository, Health, ProjectRepository};
use latchkey_postgres::{OpenError, PostgresSettings, PostgresStore, TlsMode, TlsSettings};
use latchkey_testkit::cluster::{Cluster, connect};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};
use tempfile::TempDir;

/// A certificate authority.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new([]).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// Writes a certificate that the authority signed, and its key.
fn issue(directory: &Path, name: &str, params: &CertificateParams, by: &Authority) {
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, by).expect("a certificate");
    fs::write(directory.join(format!("{name}.pem")), certificate.pem()).expect("written");
    fs::write(directory.join(format!("{name}.key")), key.serialize_pem()).expect("written");
}

/// A server with TLS, whose certificate is for the name `localhost`.
struct TlsServer {
    cluster: Cluster,
    directory: TempDir,
}

/// Clients with a certificate are let in as `certified`, all others as `postgres`.
const PG_HBA: &str = "hostssl all certified 127.0.0.1/32 cert\nhost all postgres 127.0.0.1/32 trust\n";

impl TlsServer {
    async fn start(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let directory = TempDir::new().expect("a directory");
        let place = directory.path();
        let by = authority("ours");
        fs::write(place.join("ca.pem"), by.pem()).expect("written");
        fs::write(place.join("other-ca.pem"), authority("theirs").pem()).expect("written");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        change(&mut params);
        issue(place, "server", &params, &by);
        let mut client = CertificateParams::new([]).expect("no names");
        client.distinguished_name.push(DnType::CommonName, "certified");
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        issue(place, "client", &client, &by);

        let data = place.join("cluster");
        fs::create_dir(&data).expect("a directory");
        let with_tls = |program: &Path| {
            let key = place.join("server.key");
            let owner = fs::metadata(data.join("data")).expect("made by initdb");
            chown(&key, Some(owner.uid()), Some(owner.gid())).expect("the server's own");
            fs::set_permissions(&key, Permissions::from_mode(0o600)).expect("private");
            fs::write(data.join("data/pg_hba.conf"), PG_HBA).expect("written");
            let mut command = Command::new(program);
            command.args(["-c", "ssl=on"]);
            for (setting, file) in
                [("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key"), ("ssl_ca_file", "ca.pem")]
            {
                command.arg("-c").arg(format!("{setting}={}", place.join(file).display()));
            }
            command
        };
        // The server's account is another one, where the tests run as root.
        fs::set_permissions(place, Permissions::from_mode(0o755)).expect("readable");
        let cluster = Cluster::start(&data, with_tls).await.expect("a server");
        connect(&cluster.url("postgres"))
            .await
            .expect("plain")
            .batch_execute("CREATE ROLE certified SUPERUSER LOGIN")
            .await
            .expect("a role");
        Self { cluster, directory }
    }

    fn file(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    /// Returns the URL of the database `postgres` under this name of the host, with these parameters.
    fn url(&self, host: &str, parameters: &str) -> String {
        self.cluster.url("postgres").replace("127.0.0.1", host) + "?" + parameters
    }

    async fn migrate(&self, host: &str, parameters: &str) -> Result<PostgresStore, OpenError> {
        migrate(&self.url(host, parameters)).await
    }
}

async fn migrate(url: &str) -> Result<PostgresStore, OpenError> {
    let store = PostgresStore::connect(&PostgresSettings::new(url))?;
    store.migrate().await?;
    Ok(store)
}

#[track_caller]
fn refused(outcome: Result<PostgresStore, OpenError>, reason: &str) {
    let error = outcome.expect_err("refused");
    let message = ErrorChain(&error).to_string();
    assert!(message.contains(reason), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_connection_is_encrypted_and_the_server_is_verified() {
    let server = TlsServer::start(|_| ()).await;
    let (ca, other) = (server.file("ca.pem"), server.file("other-ca.pem"));

    let store = server
        .migrate("localhost", &format!("sslmode=verify-full&sslrootcert={ca}"))
        .await
        .expect("verified");
    // Connections that are shared and those that are not, and the one that listens.
    assert!(store.find_project(&ProjectId::new("default").expect("an id")).await.expect("read").is_some());
    store.ping().await.expect("read");
    store.event_announced().await;
    assert!(store.announces_events());
    let sessions = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) FROM pg_stat_ssl \
        JOIN pg_stat_activity USING (pid) WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    let plain = connect(&server.cluster.url("postgres")).await.expect("connected");
    let row = plain.query_one(sessions, &[]).await.expect("counted");
    let (encrypted, unencrypted): (i64, i64) = (row.get(0), row.get(1));
    assert!(encrypted > 0 && unencrypted == 0, "{encrypted} encrypted, {unencrypted} not");

    // The certificate is for another name than this.
    refused(
        server.migrate("127.0.0.1", &format!("sslmode=verify-full&sslrootcert={ca}")).await,
        "not valid for name",
    );
    server
        .migrate("127.0.0.1", &format!("sslmode=verify-ca&sslrootcert={ca}"))
        .await
        .expect("any name will do");
    for mode in ["verify-full", "verify-ca", "require"] {
        let untrusted = server.migrate("localhost", &format!("sslmode={mode}&sslrootcert={other}")).await;
        refused(untrusted, "UnknownIssuer");
    }
    // No authority of this machine signed it.
    assert!(server.migrate("localhost", "sslmode=verify-full").await.is_err());
    for mode in ["require", "prefer", "disable"] {
        server.migrate("localhost", &format!("sslmode={mode}")).await.expect("nothing is proved");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_is_refused() {
    let server = TlsServer::start(|params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    })
    .await;
    let ca = server.file("ca.pem");
    for mode in ["verify-full", "verify-ca"] {
        refused(server.migrate("localhost", &format!("sslmode={mode}&sslrootcert={ca}")).await, "expired");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_shows_its_certificate() {
    let server = TlsServer::start(|_| ()).await;
    let (ca, certificate, key) =
        (server.file("ca.pem"), server.file("client.pem"), server.file("client.key"));
    let certified = server.url("localhost", "").replace("postgres@", "certified@");
    let settings = |certificate: Option<&str>, key: Option<&str>| PostgresSettings {
        tls: TlsSettings {
            mode: Some(TlsMode::VerifyFull),
            root_certificates: Some(ca.clone().into()),
            certificate: certificate.map(Into::into),
            key: key.map(Into::into),
        },
        ..PostgresSettings::new(certified.clone())
    };
    let store = PostgresStore::connect(&settings(Some(&certificate), Some(&key))).expect("settings");
    store.migrate().await.expect("let in");
    let without = PostgresStore::connect(&settings(None, None)).expect("settings").migrate().await;
    let without = ErrorChain(&without.expect_err("refused")).to_string();
    assert!(without.contains("certificate"), "{without}");
    let incomplete = PostgresStore::connect(&settings(Some(&certificate), None));
    assert!(matches!(incomplete, Err(OpenError::Tls(_))), "{incomplete:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_used_only_where_that_is_allowed() {
    let directory = TempDir::new().expect("a directory");
    let cluster = Cluster::start(directory.path(), |program| Command::new(program)).await.expect("a server");
    for mode in ["require", "verify-ca", "verify-full"] {
        let plain = migrate(&format!("{}?sslmode={mode}", cluster.url("postgres"))).await;
        refused(plain, "server does not support TLS");
    }
    for mode in ["prefer", "disable"] {
        migrate(&format!("{}?sslmode={mode}", cluster.url("postgres"))).await.expect("plain");
    }
}
