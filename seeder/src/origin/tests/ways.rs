//! The ways to an origin: HTTP/1.1 and HTTP/2, IPv4 and IPv6, straight and over proxies.

use std::sync::Mutex;

use axum::extract::Request;
use axum::http::Version;
use axum::serve::Listener;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::*;
use crate::config::Proxy;

/// `#EXTM3U\n`, packed by Brotli.
const PACKED_BY_BROTLI: [u8; 12] = [139, 3, 128, 35, 69, 88, 84, 77, 51, 85, 10, 3];

/// An origin over TLS that counts its connections.
struct Secure {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connections: Arc<AtomicUsize>,
}

impl Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.listener.accept().await.unwrap();
            self.connections.fetch_add(1, Ordering::Relaxed);
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// Its address, its connections, and a client's settings that trust it.
async fn serve_secure(router: Router) -> (SocketAddr, Arc<AtomicUsize>, rustls::ClientConfig) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let mut server = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.cert.der().clone()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let secure = Secure {
        listener,
        acceptor: TlsAcceptor::from(Arc::new(server)),
        connections: Arc::clone(&connections),
    };
    tokio::spawn(async move { axum::serve(secure, router).await });
    (address, connections, client)
}

async fn fetch(origin: &Origin, address: &str) -> Result<Bytes, OriginError> {
    let source = Arc::new(Source::new(Url::parse(address).unwrap(), None));
    let (_, outcome) = origin.segment(&source, Backoff::new(1), ready(None)).await;
    outcome.map(|fetched| fetched.bytes)
}

#[tokio::test]
async fn http2_is_spoken_and_many_requests_share_a_connection() {
    let answer = async |request: Request| {
        assert_eq!(request.version(), Version::HTTP_2);
        "media"
    };
    let (address, connections, tls) = serve_secure(Router::new().fallback(get(answer))).await;
    let origin = Origin::new(Guard::new(true, &[]), &tls, Deadlines::default()).unwrap();
    let addresses = (0..8).map(|number| format!("https://localhost:{}/{number}", address.port()));
    let addresses: Vec<String> = addresses.collect();
    assert_eq!(fetch(&origin, &addresses[0]).await.unwrap(), "media");
    for outcome in
        futures_util::future::join_all(addresses[1..].iter().map(|it| fetch(&origin, it))).await
    {
        assert_eq!(outcome.unwrap(), "media");
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_connection_is_kept_for_the_next_request() {
    let ports = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&ports);
    let answer =
        async move |axum::extract::ConnectInfo(from): axum::extract::ConnectInfo<SocketAddr>| {
            seen.lock().unwrap().push(from.port());
            "media"
        };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(get(answer));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let origin = origin(true);
    for number in 0..3 {
        let address = format!("http://{address}/{number}");
        assert_eq!(fetch(&origin, &address).await.unwrap(), "media");
    }
    let mut ports = ports.lock().unwrap().clone();
    ports.dedup();
    assert_eq!(ports.len(), 1);
}

#[tokio::test]
async fn an_origin_may_have_an_ipv6_address() {
    // A machine without IPv6 cannot tell.
    let Ok(listener) = TcpListener::bind("[::1]:0").await else {
        return;
    };
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, always("media")).await });
    let address = format!("http://{address}/");
    assert_eq!(fetch(&origin(true), &address).await.unwrap(), "media");
    let error = fetch(&origin(false), &address).await.unwrap_err();
    assert!(matches!(error, OriginError::Refused(_)), "{error}");
}

#[tokio::test]
async fn a_manifest_packed_by_brotli_is_unpacked() {
    let answer = ([(CONTENT_ENCODING, "br")], PACKED_BY_BROTLI.to_vec());
    let address = serve(always(answer)).await;
    let text = origin(true)
        .manifest(&url(address, "/"), Duration::ZERO)
        .await;
    assert_eq!(text.ok().unwrap().bytes, "#EXTM3U\n");
}

#[tokio::test]
async fn what_the_manifests_server_sets_goes_with_the_segments() {
    let answer = async |headers: HeaderMap, uri: axum::http::Uri| -> Response {
        match (uri.path(), headers.get("cookie")) {
            ("/tv.m3u8", _) => {
                ([("set-cookie", "session=7; Path=/; HttpOnly")], "#EXTM3U\n").into_response()
            }
            (_, Some(cookie)) if cookie == "session=7" => "media".into_response(),
            _ => StatusCode::FORBIDDEN.into_response(),
        }
    };
    let address = serve(Router::new().fallback(get(answer))).await;
    let origin = origin(true);
    let [manifest, segment] = ["/tv.m3u8", "/1.ts"].map(|path| url(address, path));
    assert!(fetch(&origin, segment.as_str()).await.is_err());
    assert!(origin.manifest(&manifest, Duration::ZERO).await.is_ok());
    assert_eq!(fetch(&origin, segment.as_str()).await.unwrap(), "media");
    // Another channel is another visitor.
    let other = origin.of_channel(&Channel::new(
        "b".into(),
        manifest.as_str().parse().unwrap(),
    ));
    assert!(fetch(&other, url(address, "/2.ts").as_str()).await.is_err());
}

/// What a proxy was asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// A proxy for HTTP that knows every name by `to`: requests for `http://` and tunnels for `https://`.
async fn http_proxy(to: SocketAddr) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Asked::default());
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(near.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                seen.lock().unwrap().push(head.clone());
                let mut far = TcpStream::connect(to).await.unwrap();
                if head.starts_with("CONNECT ") {
                    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                } else {
                    far.write_all(head.as_bytes()).await.unwrap();
                }
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, asked)
}

/// A SOCKS5 proxy (RFC 1928) that knows every name by `to`.
async fn socks_proxy(to: SocketAddr) -> (SocketAddr, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, asked) = (listener.local_addr().unwrap(), Asked::default());
    let seen = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let (_version, methods) =
                    (near.read_u8().await.unwrap(), near.read_u8().await.unwrap());
                near.read_exact(&mut vec![0; methods.into()]).await.unwrap();
                near.write_all(&[5, 0]).await.unwrap();
                let mut request = [0; 4];
                near.read_exact(&mut request).await.unwrap();
                let length = match request[3] {
                    1 => 4,
                    3 => near.read_u8().await.unwrap(),
                    _ => 16,
                };
                let mut target = vec![0; length.into()];
                near.read_exact(&mut target).await.unwrap();
                near.read_u16().await.unwrap();
                let target = match request[3] {
                    3 => String::from_utf8(target).unwrap(),
                    _ => format!("{target:?}"),
                };
                seen.lock().unwrap().push(target);
                near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
                    .await
                    .unwrap();
                let mut far = TcpStream::connect(to).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (address, asked)
}

fn over(proxy: &str, guard: Guard, tls: &rustls::ClientConfig) -> Origin {
    let proxy = Proxy::try_from(proxy.to_owned()).unwrap();
    let origin = Origin::new(guard, tls, Deadlines::default()).unwrap();
    let manifest = "http://cdn.example/tv.m3u8".parse().unwrap();
    origin
        .over(&proxy)
        .unwrap()
        .of_channel(&Channel::new("tv".into(), manifest))
}

#[tokio::test]
async fn a_proxy_for_http_is_asked_with_the_whole_address() {
    let (proxy, asked) = http_proxy(serve(always("media")).await).await;
    let tls = tls::client_config().unwrap();
    // The proxy's own address is private, and fine, as the operator named it.
    let origin = over(
        &format!("http://me:word@{proxy}"),
        Guard::new(false, &[]),
        &tls,
    );
    let segment = fetch(&origin, "http://cdn.example/1.ts").await;
    assert_eq!(segment.unwrap(), "media");
    let asked = asked.lock().unwrap()[0].to_ascii_lowercase();
    assert!(
        asked.starts_with("get http://cdn.example/1.ts http/1.1\r\n"),
        "{asked}"
    );
    assert!(
        asked.contains("proxy-authorization: basic bwu6d29yza=="),
        "{asked}"
    );
}

#[tokio::test]
async fn a_tunnel_is_asked_for_where_the_origin_has_tls() {
    let (to, _, tls) = serve_secure(always("media")).await;
    let (proxy, asked) = http_proxy(to).await;
    let origin = over(&format!("http://{proxy}"), Guard::new(true, &[]), &tls);
    let segment = fetch(&origin, "https://localhost:8443/1.ts").await;
    assert_eq!(segment.unwrap(), "media");
    let asked = asked.lock().unwrap()[0].clone();
    assert!(asked.starts_with("CONNECT localhost:8443 "), "{asked}");
}

#[tokio::test]
async fn names_are_resolved_here_or_by_the_socks_proxy() {
    let (proxy, asked) = socks_proxy(serve(always("media")).await).await;
    let tls = tls::client_config().unwrap();
    let far = over(&format!("socks5h://{proxy}"), Guard::new(false, &[]), &tls);
    assert_eq!(
        fetch(&far, "http://cdn.example/1.ts").await.unwrap(),
        "media"
    );
    let near = over(&format!("socks5://{proxy}"), Guard::new(true, &[]), &tls);
    assert_eq!(
        fetch(&near, "http://localhost/1.ts").await.unwrap(),
        "media"
    );
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked[0], "cdn.example");
    assert!(
        asked[1] == "[127, 0, 0, 1]" || asked[1].starts_with("[0, 0"),
        "{asked:?}"
    );
}

#[tokio::test]
async fn the_guard_counts_over_proxies_too() {
    let to = serve(always("media")).await;
    let tls = tls::client_config().unwrap();
    let ((http, asked), (socks, asked_too)) = (http_proxy(to).await, socks_proxy(to).await);
    for proxy in [
        format!("http://{http}"),
        format!("socks5h://{socks}"),
        format!("socks5://{socks}"),
    ] {
        let origin = over(&proxy, Guard::new(false, &[]), &tls);
        for private in [
            "http://169.254.169.254/",
            "http://[::1]/",
            "http://localhost/",
            "http://proxy.internal./",
        ] {
            // One that is resolved here is unknown here.
            let outcome = fetch(&origin, private).await;
            assert!(outcome.is_err(), "{private} over {proxy}");
        }
    }
    assert!(asked.lock().unwrap().is_empty() && asked_too.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_channel_may_go_another_way_than_the_seeder() {
    let (proxy, asked) = http_proxy(serve(always("media")).await).await;
    let direct = serve(always("straight")).await;
    let tls = tls::client_config().unwrap();
    let seeder = Origin::new(Guard::new(true, &[]), &tls, Deadlines::default()).unwrap();
    let seeder = seeder
        .over(&Proxy::try_from(format!("http://{proxy}")).unwrap())
        .unwrap();
    let mut channel = Channel::new("tv".into(), "http://cdn.example/tv.m3u8".parse().unwrap());
    let address = format!("http://{direct}/1.ts");
    assert_eq!(
        fetch(&seeder.of_channel(&channel), &address).await.unwrap(),
        "media"
    );
    channel.proxy = Some(Proxy::None);
    assert_eq!(
        fetch(&seeder.of_channel(&channel), &address).await.unwrap(),
        "straight"
    );
    assert_eq!(asked.lock().unwrap().len(), 1);
}
