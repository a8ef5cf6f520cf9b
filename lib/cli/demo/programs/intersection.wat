;; What two parties have in common, and nothing else of what they have: the lines that are both in /first/list and in
;; /second/list, written to /output/common.
;;
;; Rights: /first r, /second r, /output w. Each list has one entry a line, without doubles, in the order of its bytes (as
;; `LC_ALL=C sort -u` leaves it). Lists may be of any length: 64 KiB of each are in memory, and two lines, which may have
;; up to 4,096 bytes each.
;;
;; Exit codes: 0 done; 1 a list is not in order, or has an entry twice; 2 a line is too long; 3 a file cannot be read or
;; written.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param $dir i32) (param $lookup i32) (param $path i32) (param $bytes i32) (param $oflags i32)
                     (param $rights i64) (param $inheriting i64) (param $fdflags i32) (param $opened i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param $fd i32) (param $iovs i32) (param $count i32) (param $read i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $iovs i32) (param $count i32) (param $written i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))

  ;; Memory:       0  a vector of one piece: pointer, length
  ;;               8  what a call answers
  ;;              16  texts
  ;;             128  the reader of the first list, and at 192 that of the second
  ;;           4,096  lines, 4 KiB each: two of the first list, two of the second
  ;;          65,536  bytes of the first list, 64 KiB
  ;;         131,072  bytes of the second list, 64 KiB
  ;;         196,608  bytes that wait to be written, 64 KiB
  (memory (export "memory") 4)
  (data (i32.const 16) "first/list")
  (data (i32.const 32) "second/list")
  (data (i32.const 48) "output/common")

  ;; A reader:  0 descriptor      12 its bytes            24 pointer to the line before this one
  ;;            4 next byte       16 pointer to the line  28 length of that; -1 when there is none
  ;;            8 end of bytes    20 length of the line   32 whether the file has ended

  (global $out (mut i32) (i32.const 0))
  ;; The end of what waits to be written.
  (global $waiting (mut i32) (i32.const 196608))

  (func $must (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (i32.const 3)))))

  ;; Opens a path below the root, which is descriptor 3.
  (func $open (param $path i32) (param $bytes i32) (param $oflags i32) (param $rights i64) (result i32)
    (call $must (call $path_open (i32.const 3) (i32.const 0) (local.get $path) (local.get $bytes) (local.get $oflags)
                                 (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 8)))
    (i32.load (i32.const 8)))

  (func $reader (param $reader i32) (param $fd i32) (param $bytes i32) (param $lines i32)
    (i32.store (local.get $reader) (local.get $fd))
    (i32.store offset=4 (local.get $reader) (local.get $bytes))
    (i32.store offset=8 (local.get $reader) (local.get $bytes))
    (i32.store offset=12 (local.get $reader) (local.get $bytes))
    (i32.store offset=16 (local.get $reader) (local.get $lines))
    (i32.store offset=20 (local.get $reader) (i32.const -1))
    (i32.store offset=24 (local.get $reader) (i32.add (local.get $lines) (i32.const 4096))))

  (func (export "_start")
    (local $order i32)
    ;; rights 2: FD_READ
    (call $reader (i32.const 128) (call $open (i32.const 16) (i32.const 10) (i32.const 0) (i64.const 2)) (i32.const 65536) (i32.const 4096))
    (call $reader (i32.const 192) (call $open (i32.const 32) (i32.const 11) (i32.const 0) (i64.const 2)) (i32.const 131072) (i32.const 12288))
    ;; oflags 9: make it, or empty it; rights 64: FD_WRITE
    (global.set $out (call $open (i32.const 48) (i32.const 13) (i32.const 9) (i64.const 64)))
    (block $one_is_over
      (br_if $one_is_over (i32.eqz (call $next_line (i32.const 128))))
      (br_if $one_is_over (i32.eqz (call $next_line (i32.const 192))))
      (loop $both
        (local.set $order (call $compare
          (i32.load (i32.const 144)) (i32.load (i32.const 148)) (i32.load (i32.const 208)) (i32.load (i32.const 212))))
        (if (i32.eqz (local.get $order)) (then (call $keep (i32.load (i32.const 144)) (i32.load (i32.const 148)))))
        ;; Whoever is behind goes on; after a line that both have, both.
        (if (i32.le_s (local.get $order) (i32.const 0))
          (then (br_if $one_is_over (i32.eqz (call $next_line (i32.const 128))))))
        (if (i32.ge_s (local.get $order) (i32.const 0))
          (then (br_if $one_is_over (i32.eqz (call $next_line (i32.const 192))))))
        (br $both)))
    ;; What is behind the end of the other list is in no order that matters, but it is looked at all the same.
    (loop $rest (br_if $rest (call $next_line (i32.const 128))))
    (loop $rest (br_if $rest (call $next_line (i32.const 192))))
    (call $flush))

  ;; Reads the next line of a list; 0 when there is none.
  (func $next_line (param $reader i32) (result i32)
    (local $line i32) (local $length i32) (local $byte i32) (local $found i32)
    ;; The line becomes the one before, whose place is free for the new one.
    (local.set $line (i32.load offset=24 (local.get $reader)))
    (i32.store offset=24 (local.get $reader) (i32.load offset=16 (local.get $reader)))
    (i32.store offset=28 (local.get $reader) (i32.load offset=20 (local.get $reader)))
    (i32.store offset=16 (local.get $reader) (local.get $line))
    (block $ended
      (loop $next
        (local.set $byte (call $next_byte (local.get $reader)))
        (br_if $ended (i32.lt_s (local.get $byte) (i32.const 0)))
        (local.set $found (i32.const 1))
        (br_if $ended (i32.eq (local.get $byte) (i32.const 10)))
        (if (i32.eq (local.get $length) (i32.const 4096)) (then (call $proc_exit (i32.const 2))))
        (i32.store8 (i32.add (local.get $line) (local.get $length)) (local.get $byte))
        (local.set $length (i32.add (local.get $length) (i32.const 1)))
        (br $next)))
    (if (i32.eqz (local.get $found)) (then (return (i32.const 0))))
    (i32.store offset=20 (local.get $reader) (local.get $length))
    (if (i32.ge_s (i32.load offset=28 (local.get $reader)) (i32.const 0))
      (then
        (if (i32.ge_s (call $compare (i32.load offset=24 (local.get $reader)) (i32.load offset=28 (local.get $reader))
                                     (local.get $line) (local.get $length))
                      (i32.const 0))
          (then (call $proc_exit (i32.const 1))))))
    (i32.const 1))

  ;; The next byte of a list; -1 at its end, and from then on.
  (func $next_byte (param $reader i32) (result i32)
    (local $at i32)
    (local.set $at (i32.load offset=4 (local.get $reader)))
    (if (i32.eq (local.get $at) (i32.load offset=8 (local.get $reader)))
      (then
        (if (i32.load offset=32 (local.get $reader)) (then (return (i32.const -1))))
        (local.set $at (i32.load offset=12 (local.get $reader)))
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (i32.const 65536))
        (call $must (call $fd_read (i32.load (local.get $reader)) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store offset=4 (local.get $reader) (local.get $at))
        (i32.store offset=8 (local.get $reader) (i32.add (local.get $at) (i32.load (i32.const 8))))
        (if (i32.eqz (i32.load (i32.const 8)))
          (then
            (i32.store offset=32 (local.get $reader) (i32.const 1))
            (return (i32.const -1))))))
    (i32.store offset=4 (local.get $reader) (i32.add (local.get $at) (i32.const 1)))
    (i32.load8_u (local.get $at)))

  ;; Below 0, 0 or above 0 as the first line stands before, with or behind the second.
  (func $compare (param $a i32) (param $a_length i32) (param $b i32) (param $b_length i32) (result i32)
    (local $at i32) (local $both i32) (local $difference i32)
    (local.set $both (select (local.get $a_length) (local.get $b_length) (i32.lt_u (local.get $a_length) (local.get $b_length))))
    (block $equal_so_far
      (loop $next
        (br_if $equal_so_far (i32.eq (local.get $at) (local.get $both)))
        (local.set $difference
          (i32.sub (i32.load8_u (i32.add (local.get $a) (local.get $at))) (i32.load8_u (i32.add (local.get $b) (local.get $at)))))
        (if (local.get $difference) (then (return (local.get $difference))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $a_length) (local.get $b_length)))

  ;; Puts a line and a newline to what waits to be written.
  (func $keep (param $line i32) (param $length i32)
    (local $end i32)
    (if (i32.gt_u (i32.add (global.get $waiting) (local.get $length)) (i32.const 262143)) (then (call $flush)))
    (local.set $end (i32.add (local.get $line) (local.get $length)))
    (block $copied
      (loop $next
        (br_if $copied (i32.eq (local.get $line) (local.get $end)))
        (i32.store8 (global.get $waiting) (i32.load8_u (local.get $line)))
        (global.set $waiting (i32.add (global.get $waiting) (i32.const 1)))
        (local.set $line (i32.add (local.get $line) (i32.const 1)))
        (br $next)))
    (i32.store8 (global.get $waiting) (i32.const 10))
    (global.set $waiting (i32.add (global.get $waiting) (i32.const 1))))

  ;; Writes all that waits. A call may take less than it is given.
  (func $flush
    (local $at i32)
    (local.set $at (i32.const 196608))
    (block $done
      (loop $more
        (br_if $done (i32.eq (local.get $at) (global.get $waiting)))
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (i32.sub (global.get $waiting) (local.get $at)))
        (call $must (call $fd_write (global.get $out) (i32.const 0) (i32.const 1) (i32.const 8)))
        (local.set $at (i32.add (local.get $at) (i32.load (i32.const 8))))
        (br $more)))
    (global.set $waiting (i32.const 196608))))
