//! The list of cases, and the macro that makes tests of them.

/// Makes a test of every case: see the crate's documentation.
#[macro_export]
macro_rules! suite {
    ($fixture:expr) => {
        #[cfg(test)]
        async fn latchkey_conformance_fixture() -> $crate::Fixture {
            ($fixture)().await
        }

        $crate::area!(fresh {
        });
    };
}

/// Makes a module of tests of the cases of one area; for [`suite!`] alone.
#[doc(hidden)]
#[macro_export]
macro_rules! area {
    ($area:ident { $($case:ident,)* }) => {
        #[cfg(test)]
        mod $area {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $case() {
                    let fixture = super::latchkey_conformance_fixture().await;
                    $crate::$area::$case(&fixture.store).await;
                }
            )*
        }
    };
}
