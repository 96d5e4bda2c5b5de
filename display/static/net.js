/** How the board reaches its server: two addresses by fetch, and one socket. */

const asking = (signal) => ({ signal, cache: "no-store", credentials: "same-origin", redirect: "error" });

async function answered(address, signal) {
  const response = await fetch(address, asking(signal));
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response;
}

export async function askPicture(boardUid, signal) {
  return (await answered(`/api/boards/${encodeURIComponent(boardUid)}`, signal)).json();
}

export async function askHealth(signal) {
  await answered("/healthz", signal);
}

/**
 * Opens a socket that never reconnects by itself: when to try again is the feed's business. The client is loaded only
 * here, so that a board whose set-up lacks it still shows the truth by polling.
 */
export function openSocket(listener) {
  let socket = null;
  let closed = false;
  import("/display/vendor/socket.io.esm.min.js")
    .then(({ io }) => {
      if (closed) return;
      socket = io({ transports: ["websocket"], reconnection: false, forceNew: true, timeout: 5000 });
      socket.on("connect", listener.connected);
      socket.on("call", listener.call);
      socket.on("heartbeat", listener.heartbeat);
      socket.on("waiting", listener.waiting);
      socket.on("connect_error", listener.lost);
      socket.on("disconnect", listener.lost);
    })
    .catch(listener.lost);
  return {
    close() {
      closed = true;
      socket?.disconnect();
    },
  };
}
