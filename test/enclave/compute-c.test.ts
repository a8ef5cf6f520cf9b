/** A program that nobody here wrote by hand: C, compiled by clang with wasi-libc. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { contents, place, policyWith, type Rights, run } from './compute-support.js';
import { freshFolder, get, put } from './store-support.js';
import '../support/processes.js';

const SOURCE = String.raw`
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *said(int failed) { return failed ? strerror(errno) : "ok"; }

static const char *opened(const char *path, const char *mode) {
  FILE *file = fopen(path, mode);
  const char *answer = said(file == NULL);
  if (file != NULL) fclose(file);
  return answer;
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path) {
  char *names[100];
  int count = 0;
  struct dirent *entry;
  errno = 0;
  DIR *dir = opendir(path);
  while (dir != NULL && (entry = readdir(dir)) != NULL) if (entry->d_name[0] != '.') names[count++] = strdup(entry->d_name);
  printf("%s: %s:", path, said(errno != 0));
  qsort(names, count, sizeof names[0], compare);
  for (int i = 0; i < count; i++) printf(" %s", names[i]);
  printf("\n");
  if (dir != NULL) closedir(dir);
}

int main(int argc, char **argv) {
  char line[100];
  printf("%d %s %s\n", argc, argv[0], getenv("HOME") == NULL ? "no HOME" : "HOME");
  while (fgets(line, sizeof line, stdin) != NULL) printf("in: %s", line);
  fprintf(stderr, "a word of complaint\n");

  FILE *in = fopen("/input/a.txt", "r");
  FILE *out = fopen("/output/copy", "w");
  int c;
  while (in != NULL && out != NULL && (c = fgetc(in)) != EOF) fputc(c, out);
  if (out != NULL) { fseek(out, 0, SEEK_SET); fputc('X', out); fclose(out); }

  list("/input");
  list("/output");
  list("/");
  printf("read missing: %s\n", opened("/input/none", "r"));
  printf("write input: %s\n", opened("/input/a.txt", "w"));
  printf("make input: %s\n", opened("/input/new", "w"));
  printf("read output: %s\n", opened("/output/copy", "r"));
  printf("read outside: %s\n", opened("/etc/passwd", "r"));
  printf("read above: %s\n", opened("/input/../../etc/passwd", "r"));
  printf("relative: %s\n", opened("input/a.txt", "r"));
  printf("remove: %s\n", said(remove("/output/copy") != 0));
  printf("rename: %s\n", said(rename("/output/copy", "/output/other") != 0));
  printf("mkdir: %s\n", said(mkdir("/output/dir", 0777) != 0));
  printf("symlink: %s\n", said(symlink("/etc/passwd", "/output/link") != 0));
  struct stat stats;
  printf("stat: %s\n", said(stat("/input/a.txt", &stats) != 0));
  struct timespec now = {0, 0};
  printf("clock: %s\n", said(clock_gettime(CLOCK_REALTIME, &now) != 0));
  printf("sleep: %s\n", said(usleep(1) != 0));
  unsigned char random[16] = {0};
  printf("random: %s\n", said(getentropy(random, sizeof random) != 0));
  char *volatile memory = malloc(10 << 20);
  printf("10 MiB: %s\n", memory == NULL ? "no" : "ok");
  memory = malloc(60 << 20);
  printf("60 MiB: %s\n", memory == NULL ? "no" : "ok");
  fflush(stdout);
  return argc + 41;
}
`;

const folder = freshFolder(t);
const source = join(folder, 'test.c');
const binary = join(folder, 'test.wasm');
writeFileSync(source, SOURCE);
const compiled = spawnSync('clang', ['--target=wasm32-wasi', '-O1', '-o', binary, source], { encoding: 'utf8' });
const skip = compiled.status === 0 ? false : `no clang with wasi-libc: ${(compiled.error?.message ?? compiled.stderr).split('\n')[0]}`;

const RIGHTS: Rights = { stdin: 'r', stdout: 'w', stderr: 'w', '/input': 'r', '/output': 'w' };

const EXPECTED = `1 /program/test.wasm no HOME
in: first line
in: second line
/input: ok: a.txt b.txt
/output: Permission denied:
/: Permission denied:
read missing: No such file or directory
write input: Permission denied
make input: Permission denied
read output: Permission denied
read outside: Permission denied
read above: Capabilities insufficient
relative: ok
remove: Permission denied
rename: Permission denied
mkdir: ok
symlink: Function not implemented
stat: Permission denied
clock: Permission denied
sleep: Not supported
random: ok
10 MiB: ok
60 MiB: no
`;

void t.test('a C program has what its rights give it', { skip }, async (t) => {
  const at = await place(t, { maxMemoryMib: 32 });
  await put(at.store, '/input/a.txt', 'some text\n');
  await put(at.store, '/input/b.txt', 'more text\n');
  await put(at.store, 'stdin', 'first line\nsecond line\n');
  t.equal(await run(at, readFileSync(binary), policyWith(RIGHTS)), 42);
  t.equal(String(await get(at.store, 'stdout')), EXPECTED);
  t.equal(String(await get(at.store, 'stderr')), 'a word of complaint\n');
  t.equal(String(await get(at.store, '/output/copy')), 'Xome text\n');
  t.same(Object.keys(await contents(at.store)).sort(), ['/input/a.txt', '/input/b.txt', '/output/copy', 'stderr', 'stdin', 'stdout']);
});

void t.test('the same program with all rights, and a clock', { skip }, async (t) => {
  const at = await place(t);
  for (const name of ['/input/a.txt', '/input/b.txt']) await put(at.store, name, 'text\n');
  const all = 2 ** 30 - 1;
  const policy = policyWith({ ...RIGHTS, '/': all, '/input': all, '/output': all }, (document) => {
    document.enable_clock = true;
  });
  t.equal(await run(at, readFileSync(binary), policy), 42);
  const lines = String(await get(at.store, 'stdout')).split('\n');
  const refused = lines.filter((line) => !/: ok|^[^:]*$/.test(line));
  t.same(refused, [
    'read missing: No such file or directory',
    'read outside: No such file or directory',
    'read above: Capabilities insufficient',
    'rename: No such file or directory',
    'symlink: Function not implemented',
  ]);
  t.match(lines, ['1 /program/test.wasm no HOME', '/input: ok: a.txt b.txt']);
});

void t.test('the same program with no rights at all', { skip }, async (t) => {
  const at = await place(t);
  await put(at.store, '/input/a.txt', 'some text\n');
  t.equal(await run(at, readFileSync(binary), policyWith({})), 42, 'libc starts all the same');
  t.same(await contents(at.store), { '/input/a.txt': 'some text\n' });
});
