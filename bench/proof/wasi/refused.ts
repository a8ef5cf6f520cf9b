/** Programs of the suite that do not pass here, on purpose, each with its reason. docs/isolation.md says the same. */
const LINKS = 'makes links: a second name for a file would have rights of its own';

export const REFUSED: Readonly<Record<string, string>> = {
  'c/sock_shutdown-invalid_fd': 'takes 3 for a number under which nothing is open: the root always is',
  'rust/nofollow_errors': LINKS,
  'rust/path_exists': LINKS,
  'rust/path_link': LINKS,
  'rust/path_symlink_trailing_slashes': LINKS,
  'rust/readlink': LINKS,
  'rust/symlink_create': LINKS,
  'rust/symlink_filestat': LINKS,
};
