//! Who may offer what, and who may find it: constants, made from the system file.

use sel4_microkit::Channel;

use crate::Name;

/// A service, and who may register it.
#[derive(Debug, Copy, Clone)]
pub struct Service {
    /// What clients call it.
    pub name: Name,
    /// The registry's channel to who offers it.
    pub provider: Channel,
    /// The registry's channel to who may report that it is dead.
    pub parent: Option<Channel>,
}

/// That a client may find a service.
#[derive(Debug, Copy, Clone)]
pub struct Grant {
    /// The service's name.
    pub service: Name,
    /// The registry's channel to the client.
    pub client: Channel,
    /// The client's channel to who offers the service, by the identifier that it has in the client.
    pub channel: Channel,
}

/// All services, and all grants. [`table!`](crate::table) makes it of a system file.
#[derive(Debug)]
pub struct Table {
    pub(crate) services: &'static [Service],
    pub(crate) grants: &'static [Grant],
}

/// The most services of a table.
pub const MAX_SERVICES: usize = 32;

impl Table {
    /// A table, in a constant.
    ///
    /// **Panics:** if there are more than [`MAX_SERVICES`], two have one name, a grant is for none of
    /// them, or a client is granted one twice; in a constant, the compiler says so.
    pub const fn new(services: &'static [Service], grants: &'static [Grant]) -> Self {
        assert!(
            services.len() <= MAX_SERVICES,
            "a registry has 32 services at most"
        );
        let mut index = 0;
        while index < services.len() {
            assert!(
                position(services, services[index].name) == index,
                "two services have one name"
            );
            index += 1;
        }
        let mut index = 0;
        while index < grants.len() {
            let grant = &grants[index];
            assert!(
                position(services, grant.service) < services.len(),
                "a grant is for no service of the table"
            );
            let mut other = 0;
            while other < index {
                assert!(
                    grants[other].client.index() != grant.client.index()
                        || !same(grants[other].service, grant.service),
                    "a client is granted a service twice"
                );
                other += 1;
            }
            index += 1;
        }
        Self { services, grants }
    }
}

/// The first service of that name; or how many there are.
const fn position(services: &[Service], name: Name) -> usize {
    let mut index = 0;
    while index < services.len() && !same(services[index].name, name) {
        index += 1;
    }
    index
}

/// As `==`, which is not `const`.
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

/// Makes the [`Table`] of a registry from the system file, when the program is compiled.
///
/// ```
/// microkit_registry::table! {
///     /// Who may find what.
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
/// The file, and which protection domain (PD) of it the registry is. Then each service: what clients
/// call it, which PD offers it, if somebody may report its death which PD, and which PDs may find it.
/// A channel between two PDs is looked for in the file, as `microkit_system::system!` does it, with
/// the same rules for names; one that is not there is a compile error with its place.
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

/// The identifier that a channel has in `$pd`.
#[doc(hidden)]
#[macro_export]
macro_rules! __channel {
    ($file:literal, $pd:literal, $peer:literal) => {{
        $crate::_private::system! { $file, pd = $pd; channel PEER = $peer; }
        PEER.channel()
    }};
}

/// The channel to a parent, if there is one.
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
    fn a_table_knows_its_services() {
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
    #[should_panic(expected = "two services have one name")]
    fn two_services_of_one_name_are_refused() {
        Table::new(&[A, A], &[]);
    }

    #[test]
    #[should_panic(expected = "a grant is for no service of the table")]
    fn a_grant_for_nothing_is_refused() {
        Table::new(&[A], &[OF_B]);
    }

    #[test]
    #[should_panic(expected = "a client is granted a service twice")]
    fn a_grant_that_stands_twice_is_refused() {
        Table::new(&[A], &[OF_A, OF_A]);
    }

    #[test]
    #[should_panic(expected = "a registry has 32 services at most")]
    fn too_many_services_are_refused() {
        Table::new(&[A; MAX_SERVICES + 1], &[]);
    }
}
