//! Runs small systems under Miri. Miri checks every access to the IPC buffers, both by the handlers
//! and by the kernel. The kernel accesses the buffers through its own pointer.

use std::sync::atomic::Ordering;

use microkit_test::{Explorer, Run, System};
use sel4_microkit::{
    Channel, Child, DeferredAction, DeferredActionSlot, Handler, Infallible, IrqAckError,
    MessageInfo, NullHandler, SharedWord, debug_println, get_mr, pd_name, set_mr, shared_words,
    with_msg_regs, with_msg_regs_mut,
};

const PEER: Channel = Channel::new(1);

/// More words than fit into CPU registers, so that the last words are in the IPC buffer.
const WORDS: usize = 6;

const FILE: &str = r#"
    <system>
        <memory_region name="shared" size="0x1000" />
        <protection_domain name="server" priority="3" passive="true">
            <program_image path="server.elf" />
            <map mr="shared" vaddr="0x4000000" perms="rw" setvar_vaddr="shared"
                 setvar_size="shared_size" />
            <protection_domain name="client" id="1" priority="2">
                <program_image path="client.elf" />
                <map mr="shared" vaddr="0x4000000" perms="rw" setvar_vaddr="shared"
                     setvar_size="shared_size" />
            </protection_domain>
        </protection_domain>
        <channel><end pd="client" id="1" pp="true" /><end pd="server" id="1" /></channel>
    </system>"#;

struct Server {
    shared: &'static [SharedWord],
    deferred: DeferredActionSlot,
}

fn server() -> Server {
    Server {
        shared: shared_words!(shared, shared_size, SharedWord),
        deferred: DeferredActionSlot::new(),
    }
}

impl Handler for Server {
    type Error = IrqAckError;

    fn protected(&mut self, peer: Channel, info: MessageInfo) -> Result<MessageInfo, IrqAckError> {
        with_msg_regs_mut(|regs| regs[..info.count()].iter_mut().for_each(|word| *word += 1));
        self.shared[0].store(get_mr(WORDS - 1), Ordering::Release);
        self.deferred.defer_notify(peer)?;
        Ok(info)
    }

    fn fault(
        &mut self,
        child: Child,
        info: MessageInfo,
    ) -> Result<Option<MessageInfo>, IrqAckError> {
        debug_println!("child {}: {:?}", child.index(), info.fault());
        Ok(None)
    }

    fn take_deferred_action(&mut self) -> Option<DeferredAction> {
        self.deferred.take()
    }
}

struct Client;

impl Handler for Client {
    type Error = Infallible;

    fn notified(&mut self, _: sel4_microkit::ChannelSet) -> Result<(), Infallible> {
        panic!("{} has heard", pd_name().unwrap_or("?"))
    }
}

fn client() -> Client {
    with_msg_regs_mut(|regs| regs[..WORDS].copy_from_slice(&[1, 2, 3, 4, 5, 6]));
    PEER.pp_call(MessageInfo::new(0, WORDS));
    with_msg_regs(|regs| assert_eq!(regs[..WORDS], [2, 3, 4, 5, 6, 7]));
    let shared = shared_words!(shared, shared_size, SharedWord);
    assert_eq!(shared[0].load(Ordering::Acquire), 7);
    Client
}

#[test]
fn a_system_runs_to_its_end() {
    let system = System::parse("pair.system", FILE)
        .unwrap()
        .program("server.elf", server)
        .program("client.elf", client);
    let mut run = system.start();
    run.until_idle();
    assert!(run.log().contains("client has heard"), "{}", run.log());
    assert!(
        run.log().contains("child 1: UserException"),
        "{}",
        run.log()
    );
}

#[test]
fn every_schedule_of_it_does() {
    let system = System::parse("pair.system", FILE)
        .unwrap()
        .program("server.elf", server)
        .program("client.elf", client);
    let explorer = Explorer::new(&system);
    let check = |run: &Run| assert!(run.log().contains("has heard"), "{}", run.log());
    if cfg!(miri) {
        // Computing the fingerprints of states takes long under Miri.
        check(&explorer.sample(0));
        return;
    }
    assert!(explorer.check(check).is_complete());
}

/// Negative control: an access that `sel4-microkit` normally prevents. Miri must report the access.
#[test]
#[ignore = "wrong on purpose: Miri must refuse it"]
fn a_handler_that_keeps_a_view_across_a_call() {
    fn wrong() -> NullHandler {
        let word: *mut u64 = with_msg_regs_mut(|regs| &raw mut regs[WORDS - 1]);
        // SAFETY: this code is unsound on purpose: the kernel writes the word during this borrow.
        let word = unsafe { &mut *word };
        *word = 5;
        set_mr(0, 1);
        PEER.pp_call(MessageInfo::new(0, WORDS));
        assert_eq!(*word, 6);
        NullHandler::new()
    }
    let system = System::parse("pair.system", FILE)
        .unwrap()
        .program("server.elf", server)
        .program("client.elf", wrong);
    system.start().until_idle();
}
