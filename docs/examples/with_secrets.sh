#!/bin/sh
# The entry point of the image: sets the environment variables that are files in /run/secrets, then runs a command.
for file in "${SECRETS:-/run/secrets}"/*; do
    if [ -f "$file" ]; then
        export "${file##*/}=$(cat "$file")"
    fi
done
exec "$@"
