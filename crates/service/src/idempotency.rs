//! Requests that may be sent again: the answer is kept with the change, and sent again instead of a second change.
//!
//! A request that is sent again is one with the key that its caller chose for it. Nothing is noted before the change: change and
//! answer are committed together, so a request that was interrupted anywhere was carried out and has its answer, or was not.

use std::sync::Arc;

use latchkey_domain::{EventId, NewEvent, Timestamp};
use latchkey_ports::{
    AnswerKey, Clock, IdempotencyRepository, KeptAnswer, NewToken, Rotation, SealingError, SecretSealer,
    StoreError,
};

use crate::{RevealedToken, ServiceError};

/// A request whose answer is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedRequest {
    /// What it is kept under: a digest of the caller, the operation and the key that the caller chose.
    pub key: AnswerKey,
    /// A digest of the body.
    pub fingerprint: [u8; 32],
}

impl KeyedRequest {
    /// Returns what the sealed answer is bound to.
    fn context(&self) -> Vec<u8> {
        [b"idempotency-key".as_slice(), &self.key.0, &self.fingerprint].concat()
    }
}

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: Vec<u8>,
    /// Whether it is the answer to a request that was sent before.
    pub is_replayed: bool,
}

/// Writes the body of the answer that shows tokens.
type WriteBody = dyn Fn(&[RevealedToken]) -> Result<Vec<u8>, ServiceError> + Send + Sync;

/// Keeps the answer to one request with what the request changes.
#[derive(Clone)]
pub struct AnswerKeeper {
    request: KeyedRequest,
    write_body: Arc<WriteBody>,
    answers: Arc<dyn IdempotencyRepository>,
    sealer: Arc<dyn SecretSealer>,
}

impl AnswerKeeper {
    /// Creates tokens, and keeps the answer that shows them. Returns what the store says.
    pub(crate) async fn create(
        &self,
        tokens: &[NewToken],
        shown: &[RevealedToken],
        at: Timestamp,
    ) -> Result<Result<Vec<EventId>, StoreError>, ServiceError> {
        let answer = self.answer(shown, at)?;
        Ok(self.answers.create_tokens_once(tokens, &answer).await)
    }

    /// Rotates a token, and keeps the answer that shows it. Returns what the store says.
    pub(crate) async fn rotate(
        &self,
        rotation: &Rotation,
        event: &NewEvent,
        shown: &RevealedToken,
    ) -> Result<Result<EventId, StoreError>, ServiceError> {
        let answer = self.answer(std::slice::from_ref(shown), event.at)?;
        Ok(self.answers.rotate_token_once(rotation, event, &answer).await)
    }

    fn answer(&self, shown: &[RevealedToken], at: Timestamp) -> Result<KeptAnswer, ServiceError> {
        let KeyedRequest { key, fingerprint } = self.request;
        let body = self.sealer.seal_bytes(&(self.write_body)(shown)?, &self.request.context())?;
        Ok(KeptAnswer { key, fingerprint, at, body })
    }
}

/// The use cases of this module.
pub struct Idempotency {
    answers: Arc<dyn IdempotencyRepository>,
    sealer: Arc<dyn SecretSealer>,
    clock: Arc<dyn Clock>,
}

impl Idempotency {
    pub(crate) fn new(
        answers: Arc<dyn IdempotencyRepository>,
        sealer: Arc<dyn SecretSealer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { answers, sealer, clock }
    }

    /// Carries a request out, and returns its answer; `None`: the request has no key. If the answer is kept already, that is
    /// returned, and nothing is done. The attempt must make its change through the keeper.
    ///
    /// # Errors
    /// [`ServiceError::KeyReused`] if another request was sent with the key; [`ServiceError::Unavailable`]; those of the attempt.
    pub async fn answer(
        &self,
        request: Option<KeyedRequest>,
        write_body: impl Fn(&[RevealedToken]) -> Result<Vec<u8>, ServiceError> + Send + Sync + 'static,
        attempt: impl AsyncFnOnce(Option<AnswerKeeper>) -> Result<Vec<RevealedToken>, ServiceError>,
    ) -> Result<Answer, ServiceError> {
        let Some(request) = request else {
            return Ok(Answer { body: write_body(&attempt(None).await?)?, is_replayed: false });
        };
        if let Some(body) = self.kept(&request).await? {
            return Ok(Answer { body, is_replayed: true });
        }
        let write_body: Arc<WriteBody> = Arc::new(write_body);
        let keeper = AnswerKeeper {
            request,
            write_body: Arc::clone(&write_body),
            answers: Arc::clone(&self.answers),
            sealer: Arc::clone(&self.sealer),
        };
        match attempt(Some(keeper)).await {
            Ok(shown) => Ok(Answer { body: write_body(&shown)?, is_replayed: false }),
            // Perhaps because the same request was faster: then its token is in the way, or its secret was replaced.
            Err(refusal) => match self.kept(&request).await? {
                Some(body) => Ok(Answer { body, is_replayed: true }),
                None => Err(refusal),
            },
        }
    }

    /// Returns the answer that is kept for this request.
    async fn kept(&self, request: &KeyedRequest) -> Result<Option<Vec<u8>>, ServiceError> {
        let since = KeptAnswer::kept_since(self.clock.now());
        let kept = self.answers.find_answer(&request.key).await?;
        let Some(kept) = kept.filter(|kept| kept.at > since) else { return Ok(None) };
        if kept.fingerprint != request.fingerprint {
            return Err(ServiceError::KeyReused);
        }
        match self.sealer.open_bytes(&kept.body, &request.context()) {
            // Until the key is configured again, or the answer is forgotten: to do it again is the one wrong answer.
            Err(error @ SealingError::UnknownKey(_)) => Err(StoreError::Unavailable(Box::new(error)).into()),
            opened => Ok(Some(opened?)),
        }
    }
}
