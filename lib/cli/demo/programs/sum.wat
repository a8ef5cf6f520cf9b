;; The sum of the whole numbers in all files directly under /input, one number a line; written, with a newline, to
;; /output/sum.
;;
;; Rights: /input r, /output w. Numbers are signed, of 64 bits; empty lines and carriage returns are passed over. Files
;; may be of any size and number: 64 KiB of them are in memory at a time.
;;
;; Exit codes: 0 done; 1 a line that is no number; 2 a number or the sum does not fit in 64 bits; 3 a file that cannot be
;; read or written.
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param $dir i32) (param $lookup i32) (param $path i32) (param $bytes i32) (param $oflags i32)
                     (param $rights i64) (param $inheriting i64) (param $fdflags i32) (param $opened i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param $fd i32) (param $buffer i32) (param $bytes i32) (param $cookie i64) (param $used i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read"
    (func $fd_read (param $fd i32) (param $iovs i32) (param $count i32) (param $read i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $fd i32) (param $iovs i32) (param $count i32) (param $written i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param $fd i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))

  ;; Memory:       0  a vector of one piece: pointer, length
  ;;               8  what a call answers
  ;;              16  texts
  ;;           1,024  the digits of the sum, ending at 1,056
  ;;           4,096  names of files, 4 KiB
  ;;          65,536  bytes of a file, 64 KiB
  (memory (export "memory") 2)
  (data (i32.const 16) "input")
  (data (i32.const 32) "output/sum")

  ;; The number that is being read, as its digits say it; how many of them there are; whether a minus stood before them.
  (global $value (mut i64) (i64.const 0))
  (global $digits (mut i32) (i32.const 0))
  (global $negative (mut i32) (i32.const 0))
  (global $sum (mut i64) (i64.const 0))

  ;; Ends the program with 3 when a call did not succeed.
  (func $must (param $errno i32)
    (if (local.get $errno) (then (call $proc_exit (i32.const 3)))))

  ;; Opens a path below a directory; what is asked of the file is in $rights. Descriptor 3 is the root.
  (func $open (param $dir i32) (param $path i32) (param $bytes i32) (param $oflags i32) (param $rights i64) (result i32)
    (call $must (call $path_open (local.get $dir) (i32.const 0) (local.get $path) (local.get $bytes) (local.get $oflags)
                                 (local.get $rights) (i64.const 0) (i32.const 0) (i32.const 8)))
    (i32.load (i32.const 8)))

  (func (export "_start")
    (local $dir i32) (local $cookie i64) (local $at i32) (local $end i32) (local $name i32)
    ;; oflags 2: it must be a directory
    (local.set $dir (call $open (i32.const 3) (i32.const 16) (i32.const 5) (i32.const 2) (i64.const 0)))
    (block $all_listed
      (loop $more_names
        (call $must (call $fd_readdir (local.get $dir) (i32.const 4096) (i32.const 4096) (local.get $cookie) (i32.const 8)))
        (local.set $at (i32.const 4096))
        (local.set $end (i32.add (i32.const 4096) (i32.load (i32.const 8))))
        (br_if $all_listed (i32.eq (local.get $at) (local.get $end)))
        (block $last_is_cut
          (loop $next_name
            ;; An entry: u64 cookie of the one behind it, u64 inode, u32 length of the name, u32 kind; then the name.
            (local.set $name (i32.add (local.get $at) (i32.const 24)))
            (br_if $last_is_cut (i32.gt_u (local.get $name) (local.get $end)))
            (br_if $last_is_cut
              (i32.gt_u (i32.add (local.get $name) (i32.load offset=16 (local.get $at))) (local.get $end)))
            ;; kind 4: a file
            (if (i32.eq (i32.load8_u offset=20 (local.get $at)) (i32.const 4))
              (then (call $add_file
                ;; rights 2: FD_READ
                (call $open (local.get $dir) (local.get $name) (i32.load offset=16 (local.get $at)) (i32.const 0) (i64.const 2)))))
            (local.set $cookie (i64.load (local.get $at)))
            (local.set $at (i32.add (local.get $name) (i32.load offset=16 (local.get $at))))
            (br_if $next_name (i32.lt_u (local.get $at) (local.get $end)))))
        (br $more_names)))
    (call $tell))

  ;; Adds the numbers of an open file, and closes it.
  (func $add_file (param $fd i32)
    (local $at i32) (local $end i32)
    (loop $more
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (call $must (call $fd_read (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8)))
      (local.set $at (i32.const 65536))
      (local.set $end (i32.add (i32.const 65536) (i32.load (i32.const 8))))
      (if (i32.lt_u (local.get $at) (local.get $end))
        (then
          (loop $next
            (call $add_byte (i32.load8_u (local.get $at)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
          (br $more))))
    ;; The last line may have no newline.
    (call $end_line)
    (call $must (call $fd_close (local.get $fd))))

  (func $add_byte (param $byte i32)
    (local $digit i32)
    (if (i32.eq (local.get $byte) (i32.const 10)) (then (call $end_line) (return)))
    (if (i32.eq (local.get $byte) (i32.const 13)) (then (return)))
    ;; A minus is good once, before all digits.
    (if (i32.and (i32.eq (local.get $byte) (i32.const 45))
                 (i32.eqz (i32.or (global.get $digits) (global.get $negative))))
      (then (global.set $negative (i32.const 1)) (return)))
    (local.set $digit (i32.sub (local.get $byte) (i32.const 48)))
    (if (i32.gt_u (local.get $digit) (i32.const 9)) (then (call $proc_exit (i32.const 1))))
    ;; Over (2^63 - 1) / 10 the number would not fit; nor, unless it is -2^63, when the next digit brings it to 2^63.
    (if (i64.gt_u (global.get $value) (i64.const 922337203685477580)) (then (call $proc_exit (i32.const 2))))
    (global.set $value (i64.add (i64.mul (global.get $value) (i64.const 10)) (i64.extend_i32_u (local.get $digit))))
    (if (i64.gt_u (global.get $value) (i64.add (i64.const 9223372036854775807) (i64.extend_i32_u (global.get $negative))))
      (then (call $proc_exit (i32.const 2))))
    (global.set $digits (i32.add (global.get $digits) (i32.const 1))))

  ;; Adds the number of the line that ends here, if there is one.
  (func $end_line
    (local $number i64) (local $before i64)
    (if (i32.eqz (global.get $digits))
      (then
        (if (global.get $negative) (then (call $proc_exit (i32.const 1))))
        (return)))
    (local.set $number
      (select (i64.sub (i64.const 0) (global.get $value)) (global.get $value) (global.get $negative)))
    (local.set $before (global.get $sum))
    (global.set $sum (i64.add (local.get $before) (local.get $number)))
    ;; It did not fit when both had the sign that the sum has not.
    (if (i64.lt_s (i64.and (i64.xor (local.get $before) (global.get $sum)) (i64.xor (local.get $number) (global.get $sum)))
                  (i64.const 0))
      (then (call $proc_exit (i32.const 2))))
    (global.set $value (i64.const 0))
    (global.set $digits (i32.const 0))
    (global.set $negative (i32.const 0)))

  ;; Writes the sum to /output/sum.
  (func $tell
    (local $at i32) (local $rest i64)
    (local.set $at (i32.const 1055))
    (i32.store8 (local.get $at) (i32.const 10))
    ;; Without its sign: of -2^63 that is 2^63, which is right as an unsigned number.
    (local.set $rest
      (select (i64.sub (i64.const 0) (global.get $sum)) (global.get $sum) (i64.lt_s (global.get $sum) (i64.const 0))))
    (loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $rest) (i64.const 10)))))
      (local.set $rest (i64.div_u (local.get $rest) (i64.const 10)))
      (br_if $digit (i64.ne (local.get $rest) (i64.const 0))))
    (if (i64.lt_s (global.get $sum) (i64.const 0))
      (then
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (i32.store8 (local.get $at) (i32.const 45))))
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 1056) (local.get $at)))
    ;; oflags 9: make it, or empty it; rights 64: FD_WRITE
    (call $must (call $fd_write
      (call $open (i32.const 3) (i32.const 32) (i32.const 10) (i32.const 9) (i64.const 64))
      (i32.const 0) (i32.const 1) (i32.const 8)))))
