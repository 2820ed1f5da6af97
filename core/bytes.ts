/** Numbers in network byte order. */

export function be16(at: i32): i32 {
  return <i32>bswap<u16>(load<u16>(at));
}

export function be32(at: i32): i32 {
  return bswap<i32>(load<i32>(at));
}
