//! The registry's table: the PDs that may register each service, and the PDs that may find it.
//!
//! The table is a constant that `table!` generates from the system file.

use sel4_microkit::Channel;

use crate::Name;

/// A service, and the PDs that may register and withdraw it.
#[derive(Debug, Copy, Clone)]
pub struct Service {
    /// The name that clients use to look up the service.
    pub name: Name,
    /// The registry's channel to the PD that provides the service.
    pub provider: Channel,
    /// The registry's channel to the PD that may report the provider's death.
    pub parent: Option<Channel>,
}

/// The right of a client to find a service.
#[derive(Debug, Copy, Clone)]
pub struct Grant {
    /// The service's name.
    pub service: Name,
    /// The registry's channel to the client.
    pub client: Channel,
    /// The client's channel to the provider. The identifier is valid in the client's PD.
    pub channel: Channel,
}

/// All services and all grants of a registry. [`table!`](crate::table) generates the table from the
/// system file.
#[derive(Debug)]
pub struct Table {
    pub(crate) services: &'static [Service],
    pub(crate) grants: &'static [Grant],
}

/// The maximum number of services in a table.
pub const MAX_SERVICES: usize = 32;

impl Table {
    /// Creates a table. Call this in a constant or a static, so that the compiler checks the table.
    ///
    /// ```
    /// use microkit_registry::{Grant, Name, Service, Table};
    /// use sel4_microkit::Channel;
    ///
    /// const BELL: Name = Name::new("bell");
    ///
    /// static TABLE: Table = Table::new(
    ///     &[Service { name: BELL, provider: Channel::new(1), parent: None }],
    ///     &[Grant { service: BELL, client: Channel::new(2), channel: Channel::new(5) }],
    /// );
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if there are more than [`MAX_SERVICES`] services, if two services have the same name,
    /// if a grant names a service that is not in the table, or if a client has two grants for a
    /// service.
    pub const fn new(services: &'static [Service], grants: &'static [Grant]) -> Self {
        assert!(
            services.len() <= MAX_SERVICES,
            "a registry has at most 32 services"
        );
        let mut index = 0;
        while index < services.len() {
            assert!(
                position(services, services[index].name) == index,
                "two services have the same name"
            );
            index += 1;
        }
        let mut index = 0;
        while index < grants.len() {
            let grant = &grants[index];
            assert!(
                position(services, grant.service) < services.len(),
                "a grant names a service that is not in the table"
            );
            let mut other = 0;
            while other < index {
                assert!(
                    grants[other].client.index() != grant.client.index()
                        || !same(grants[other].service, grant.service),
                    "a client has two grants for one service"
                );
                other += 1;
            }
            index += 1;
        }
        Self { services, grants }
    }
}

/// Returns the index of the first service with that name, or the number of services if no service
/// has that name.
const fn position(services: &[Service], name: Name) -> usize {
    let mut index = 0;
    while index < services.len() && !same(services[index].name, name) {
        index += 1;
    }
    index
}

/// Compares two names. `==` is not available in a constant.
const fn same(one: Name, other: Name) -> bool {
    let mut index = 0;
    while index < Name::BYTES {
        if one.bytes()[index] != other.bytes()[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Generates the [`Table`] of a registry from the system file at compile time.
///
/// ```
/// microkit_registry::table! {
///     /// The services of this system.
///     pub TABLE: "registry.system", pd = "registry";
///     service "bell" = "bell", parent = "parent" {
///         client "alice";
///     }
///     service "sum" = "sum" {
///         client "bob";
///         client "carol";
///     }
/// }
/// ```
///
/// The first line names the system file and the registry's protection domain (PD). Each `service`
/// line gives the service's name, the PD that provides the service, and optionally the parent that
/// may report the death of this PD. Each `client` line gives a PD that may find the service.
///
/// The macro finds the channels between these PDs in the file, by the rules of
/// `microkit_system::system!`. A missing channel is a compile error that shows the line of the
/// file.
#[macro_export]
macro_rules! table {
    (
        $(#[doc = $doc:expr])*
        $visibility:vis $table:ident: $file:literal, pd = $registry:literal;
        $(
            service $service:literal = $provider:literal $(, parent = $parent:literal)? {
                $(client $client:literal;)*
            }
        )*
    ) => {
        $(#[doc = $doc])*
        $visibility static $table: $crate::Table = $crate::Table::new(
            &[$(
                $crate::Service {
                    name: $crate::Name::new($service),
                    provider: $crate::__channel!($file, $registry, $provider),
                    parent: $crate::__parent!($file, $registry $(, $parent)?),
                },
            )*],
            &[$($(
                $crate::Grant {
                    service: $crate::Name::new($service),
                    client: {
                        $crate::_private::system! { $file, pd = $registry; channel PEER = $client; }
                        $crate::_private::is_notified(PEER);
                        PEER.channel()
                    },
                    channel: $crate::__channel!($file, $client, $provider),
                },
            )*)*],
        );
    };
}

/// The channel from `$pd` to `$peer`, with its identifier in `$pd`.
#[doc(hidden)]
#[macro_export]
macro_rules! __channel {
    ($file:literal, $pd:literal, $peer:literal) => {{
        $crate::_private::system! { $file, pd = $pd; channel PEER = $peer; }
        PEER.channel()
    }};
}

/// The registry's channel to the parent, or `None` for a service without a parent.
#[doc(hidden)]
#[macro_export]
macro_rules! __parent {
    ($file:literal, $registry:literal) => {
        ::core::option::Option::None
    };
    ($file:literal, $registry:literal, $parent:literal) => {
        ::core::option::Option::Some($crate::__channel!($file, $registry, $parent))
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Service = Service {
        name: Name::new("a"),
        provider: Channel::new(1),
        parent: None,
    };
    const OF_A: Grant = Grant {
        service: Name::new("a"),
        client: Channel::new(2),
        channel: Channel::new(3),
    };
    const OF_B: Grant = Grant {
        service: Name::new("b"),
        ..OF_A
    };

    #[test]
    fn a_service_is_found_by_its_name() {
        const B: Service = Service {
            name: Name::new("b"),
            ..A
        };
        let table = Table::new(&[A, B], &[OF_A, OF_B]);
        let check = |name, expect| assert_eq!(position(table.services, Name::new(name)), expect);
        check("a", 0);
        check("b", 1);
        check("c", 2);
    }

    #[test]
    #[should_panic(expected = "two services have the same name")]
    fn two_services_with_one_name_are_refused() {
        Table::new(&[A, A], &[]);
    }

    #[test]
    #[should_panic(expected = "a grant names a service that is not in the table")]
    fn a_grant_for_an_unknown_service_is_refused() {
        Table::new(&[A], &[OF_B]);
    }

    #[test]
    #[should_panic(expected = "a client has two grants for one service")]
    fn a_repeated_grant_is_refused() {
        Table::new(&[A], &[OF_A, OF_A]);
    }

    #[test]
    #[should_panic(expected = "a registry has at most 32 services")]
    fn too_many_services_are_refused() {
        Table::new(&[A; MAX_SERVICES + 1], &[]);
    }
}
