//! A name server that knows what a test tells it.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use simple_dns::rdata::RData;
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};
use tokio::net::UdpSocket;
use tokio::task::AbortHandle;

const LONGEST: usize = 4096;
/// Envoy may ask again at once: what a test changes shall be seen soon.
const LIFETIME: u32 = 1;

/// Answers until it is dropped. Other names than it was told do not exist.
#[derive(Debug)]
pub struct Names {
    address: SocketAddr,
    known: Arc<Mutex<Known>>,
    server: AbortHandle,
}

#[derive(Debug, Default)]
struct Known {
    addresses: BTreeMap<String, Vec<IpAddr>>,
    asked: Vec<String>,
}

impl Names {
    pub async fn serve(address: SocketAddr) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let address = socket.local_addr()?;
        let known = Arc::<Mutex<Known>>::default();
        let table = Arc::clone(&known);
        let server = tokio::spawn(async move {
            let mut buffer = vec![0; LONGEST];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let answer = answer(buffer.get(..length).unwrap_or_default(), &mut lock(&table));
                if let Some(answer) = answer {
                    // Who does not wait for the answer asks again.
                    drop(socket.send_to(&answer, peer).await);
                }
            }
        });
        Ok(Self { address, known, server: server.abort_handle() })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on the name has these addresses; none: it exists, without any.
    pub fn set(&self, name: &str, addresses: &[IpAddr]) {
        lock(&self.known).addresses.insert(name.to_ascii_lowercase(), addresses.to_vec());
    }

    /// From now on the name does not exist.
    pub fn remove(&self, name: &str) {
        lock(&self.known).addresses.remove(&name.to_ascii_lowercase());
    }

    pub fn get(&self, name: &str) -> Vec<IpAddr> {
        lock(&self.known).addresses.get(&name.to_ascii_lowercase()).cloned().unwrap_or_default()
    }

    /// The names that were asked for, each as often as it was.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.known).asked.clone()
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(query: &[u8], known: &mut Known) -> Option<Vec<u8>> {
    let mut packet = Packet::parse(query).ok()?;
    let question = packet.questions.first()?.clone();
    let name = question.qname.to_string().to_ascii_lowercase();
    *packet.opt_mut() = None;
    packet.additional_records.clear();
    let mut reply = packet.into_reply();
    reply.set_flags(PacketFlag::RESPONSE | PacketFlag::AUTHORITATIVE_ANSWER | PacketFlag::RECURSION_AVAILABLE);
    match known.addresses.get(&name) {
        Some(addresses) => {
            for address in addresses {
                let data = match (address, question.qtype) {
                    (IpAddr::V4(address), QTYPE::TYPE(TYPE::A)) => RData::A((*address).into()),
                    (IpAddr::V6(address), QTYPE::TYPE(TYPE::AAAA)) => RData::AAAA((*address).into()),
                    _ => continue,
                };
                reply.answers.push(ResourceRecord::new(question.qname.clone(), CLASS::IN, LIFETIME, data));
            }
        }
        None => *reply.rcode_mut() = RCODE::NameError,
    }
    known.asked.push(name);
    reply.build_bytes_vec().ok()
}
