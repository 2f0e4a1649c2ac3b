//! The table of what can be done, and the permissions that each action needs.

use latchkey_domain::{Permission as P, TokenKind};

/// An action in a project.
pub trait ProjectAction {
    /// The permissions that it needs in that project, all of them.
    const PERMISSIONS: &'static [P];
}

/// An action on the instance as a whole.
pub trait InstanceAction {
    /// The permissions of which one is enough.
    const ANY_OF: &'static [P];
}

/// An action on tokens of any scope. Beyond [`InstanceAction::ANY_OF`], a token needs the permission for its kind.
pub trait InstanceTokenAction: InstanceAction {
    /// Returns the permission for tokens of this kind.
    fn permission(kind: TokenKind) -> P;
}

macro_rules! project_actions {
    ($($(#[$doc:meta])* $action:ident = [$($permission:ident),+];)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $action {}

            impl ProjectAction for $action {
                const PERMISSIONS: &'static [P] = &[$(P::$permission),+];
            }
        )*
    };
}

macro_rules! instance_actions {
    ($($(#[$doc:meta])* $action:ident = [$($permission:ident),+];)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $action {}

            impl InstanceAction for $action {
                const ANY_OF: &'static [P] = &[$(P::$permission),+];
            }
        )*
    };
}

macro_rules! instance_token_actions {
    ($($(#[$doc:meta])* $action:ident { client: $client:ident, frontend: $frontend:ident };)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub enum $action {}

            impl InstanceAction for $action {
                const ANY_OF: &'static [P] = &[P::Admin, P::$client, P::$frontend];
            }

            impl InstanceTokenAction for $action {
                fn permission(kind: TokenKind) -> P {
                    match kind {
                        TokenKind::Admin => P::Admin,
                        TokenKind::Client => P::$client,
                        TokenKind::Frontend => P::$frontend,
                    }
                }
            }
        )*
    };
}

project_actions! {
    /// Listing the tokens of a project.
    ReadTokens = [ReadProjectApiToken];
    /// Creating tokens in a project.
    CreateTokens = [CreateProjectApiToken];
    /// Revoking tokens of a project.
    DeleteTokens = [DeleteProjectApiToken];
    /// Changing tokens of a project, their secrets included: a change can make a token good for longer, and can end one.
    UpdateTokens = [CreateProjectApiToken, DeleteProjectApiToken];
    /// Changing a project, its members and its environments.
    UpdateProject = [UpdateProject];
    /// Archiving, reviving and deleting a project.
    DeleteProject = [DeleteProject];
    /// Reading the audit trail of a project, which is mostly about its tokens.
    ReadProjectEvents = [ReadProjectApiToken];
}

instance_actions! {
    /// Managing users and their passwords.
    ManageUsers = [Admin];
    /// Managing service accounts and their tokens.
    ManageServiceAccounts = [Admin];
    /// Managing roles.
    ManageRoles = [Admin];
    /// Managing groups and their members.
    ManageGroups = [Admin];
    /// Managing environments.
    ManageEnvironments = [Admin];
    /// Creating projects.
    CreateProjects = [CreateProject];
    /// Reading the whole audit trail.
    ReadEvents = [Admin];
    /// Reporting leaked secrets, which can end their tokens.
    ReportLeaks = [Admin];
    /// Managing webhooks and their deliveries.
    ManageWebhooks = [Admin];
    /// Reading how the instance is configured and how it does.
    ReadInstance = [Admin];
}

instance_token_actions! {
    /// Listing tokens of any scope.
    ReadInstanceTokens { client: ReadClientApiToken, frontend: ReadFrontendApiToken };
    /// Creating tokens of any scope.
    CreateInstanceTokens { client: CreateClientApiToken, frontend: CreateFrontendApiToken };
    /// Changing tokens of any scope, their secrets included.
    UpdateInstanceTokens { client: UpdateClientApiToken, frontend: UpdateFrontendApiToken };
    /// Revoking tokens of any scope.
    DeleteInstanceTokens { client: DeleteClientApiToken, frontend: DeleteFrontendApiToken };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_token_has_its_permission() {
        use TokenKind::{Admin, Client, Frontend};
        let of = |kind| {
            [
                ReadInstanceTokens::permission(kind),
                CreateInstanceTokens::permission(kind),
                UpdateInstanceTokens::permission(kind),
                DeleteInstanceTokens::permission(kind),
            ]
        };
        assert_eq!(of(Admin), [P::Admin; 4]);
        assert_eq!(
            of(Client),
            [
                P::ReadClientApiToken,
                P::CreateClientApiToken,
                P::UpdateClientApiToken,
                P::DeleteClientApiToken
            ]
        );
        assert_eq!(
            of(Frontend),
            [
                P::ReadFrontendApiToken,
                P::CreateFrontendApiToken,
                P::UpdateFrontendApiToken,
                P::DeleteFrontendApiToken
            ]
        );
    }
}
