#!/bin/sh
# The entry point of the image: sets the environment variables that are files in /run/secrets, then runs a command.
for file in "${SECRETS:-/run/secrets}"/*; do
    case ${file##*/} in
        # Not the name of a setting: a file that a setting names.
        *[!A-Z0-9_]*) continue ;;
    esac
    if [ -f "$file" ]; then
        export "${file##*/}=$(cat "$file")"
    fi
done
exec "$@"
