/** The program in the page's address: deflated, so that a link carries it and no server needs to. */

const marker = "#p=";

/** Longer addresses break in mail and chat. */
const longest = 16_000;

export async function toAddress(text: string): Promise<string | null> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const letters = btoa(String.fromCharCode(...bytes));
  const code = letters.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  return code.length > longest ? null : marker + code;
}

/** Null when the address has no program, or one that cannot be read. */
export async function fromAddress(hash: string): Promise<string | null> {
  if (!hash.startsWith(marker)) return null;
  try {
    const letters = hash.slice(marker.length).replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return await new Response(stream).text();
  } catch {
    return null;
  }
}
