# fish completion of trailctl, trailfs, trailfs-signer, mkfs.trailfs, fsck.trailfs.
# The programs say what can follow, with --complete.

function __trailctl_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l program $words[1]
    set -e words[1]
    set -l before (string match -r -- '^--[^=]*=' $typed)
    set -l rest (string replace -r -- '^--[^=]*=' '' $typed)

    type -q -- $program; or return
    for line in ($program --complete $words "$typed" 2>/dev/null)
        switch $line
            case ':files'
                for name in (__fish_complete_path "$rest")
                    printf '%s%s\n' "$before" $name
                end
            case ':directories'
                for name in (__fish_complete_directories "$rest" '')
                    printf '%s%s\n' "$before" $name
                end
            case '*'
                printf '%s\n' $line
        end
    end
end

for program in trailctl trailfs trailfs-signer mkfs.trailfs fsck.trailfs
    complete -c $program -f -a '(__trailctl_complete)'
end
