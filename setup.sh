#!/bin/sh
# Install what Evidence is built with, from the packages of Debian 12 or a relative of it.
# Safe to run again: what is there is left alone.
set -eu

usage()
{
    cat <<'END'
usage: ./setup.sh [--develop] [--report] [--dry-run | --list]

Installs the Debian packages that Evidence is built, run and tested with.
Needs root or sudo, unless there is nothing to install.

  --develop   also what continuous integration, `make lint`, `make fuzz` and the
              peers of `make bench` use: clang, its tools, NumPy and SciPy
  --report    also what `make report` needs, and Chromium, in which its page is tested
  --dry-run   say what would be done, and do nothing
  --list      print the names of the packages, one a line, and do nothing
  --help      print this text

Exit status: 0 everything is there; 1 something could not be installed; 2 usage.
END
}

#        package            what it is for
packages='
         gcc                the compiler
         libc6-dev          the C library
         make               the build
         pkg-config         finding the libraries
         libgsl-dev         GSL: quadrature, special functions, minimisers
         libopenblas-dev    OpenBLAS: matrix products of the trainer
         libcubature-dev    Cubature: adaptive integration in several dimensions
         libarpack2-dev     ARPACK: eigenvectors of large sparse matrices
         librandom123-dev   Random123: counter-based random numbers
         libjansson-dev     Jansson: JSON
         zlib1g-dev         zlib: compressed data sets
         libpng-dev         libpng: pictures
         dataset-fashion-mnist   Fashion-MNIST: the images trained on by default
         libcriterion-dev   Criterion: the tests
         gnuplot-nox        gnuplot: the figures
         fonts-lmodern      Latin Modern: the letters of the figures'
develop='
         clang              the second compiler
         libomp-dev         OpenMP for clang
         libclang-rt-dev    sanitizers and libFuzzer for clang
         llvm               line numbers in the reports of the sanitizers
         clang-format       make format, make lint
         clang-tidy         make lint
         git                the revision that a program reports
         python3-numpy      a peer in make bench
         python3-scipy      a peer in make bench'
report='
         pandoc                     the report: conversion
         texlive-luatex             LuaLaTeX: its PDF
         texlive-latex-recommended  the packages that its template uses
         texlive-fonts-recommended  mathematical letters
         lmodern                    Latin Modern for LaTeX
         librsvg2-bin               figures
         chromium                   tests of the page
         poppler-utils              tests of the PDF'

mode=install
for argument in "$@"; do
    case $argument in
    --develop) packages=$packages$develop ;;
    --report) packages=$packages$report ;;
    --dry-run) mode=dry-run ;;
    --list) mode=list ;;
    --help | -h) usage; exit 0 ;;
    *)
        echo "setup.sh: unknown argument: $argument" >&2
        usage >&2
        exit 2
        ;;
    esac
done

names=$(printf '%s\n' "$packages" | awk 'NF { print $1 }')
if [ $mode = list ]; then
    printf '%s\n' "$names"
    exit 0
fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo 'setup.sh: this is not a Debian-like system.  Please install the equivalents of:' >&2
    printf '%s\n' "$packages" | awk 'NF { sub(/^ +/, "  "); print }' >&2
    exit 1
fi

# Is the package here, or a command that serves as well?
have()
{
    case $1 in
    gcc | make | pkg-config | git) command -v "$1" >/dev/null && return 0 ;;
    gnuplot-nox) command -v gnuplot >/dev/null && return 0 ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for name in $names; do
    have "$name" || missing="$missing $name"
done
if [ -z "$missing" ]; then
    echo 'setup.sh: everything is there already.'
    exit 0
fi

echo 'setup.sh: to be installed:'
for name in $missing; do
    printf '%s\n' "$packages" | awk -v name="$name" '$1 == name { sub(/^ +/, "  "); print }'
done

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo 'setup.sh: neither root nor sudo.  Please have this run as root:' >&2
        echo "  apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    as_root=sudo
fi

run()
{
    echo "+ ${as_root:+$as_root }$*"
    [ $mode = dry-run ] || $as_root env DEBIAN_FRONTEND=noninteractive "$@"
}

# The package lists are fetched only when they are missing or out of date.
known()
{
    for name in $missing; do
        apt-cache show --no-all-versions "$name" >/dev/null 2>&1 || return 1
    done
}
known || run apt-get update
# The names are words of their own.
# shellcheck disable=SC2086
if ! run apt-get install --yes --no-install-recommends $missing; then
    echo 'setup.sh: that failed; once more, with fresh package lists.'
    run apt-get update
    run apt-get install --yes --no-install-recommends $missing
fi
[ $mode = dry-run ] || echo 'setup.sh: done.  Now: make check'
