<#
.SYNOPSIS
Puts the plugin in the place of the one that Antrea installed, or puts that one back.

.DESCRIPTION
For a HostProcess container, or an administrator's shell on the node. Windows lets nobody
replace or delete a program that runs, but rename it: the old one is renamed away, and the
new one is moved in. Pods that start in the moment between find no plugin; their runtime
tries again.

.PARAMETER Plugin
The new antrea.exe, from the release's archive.

.PARAMETER BinDir
The folder of the node's CNI plugins.

.PARAMETER Rollback
Puts the plugin back that was there before.
#>
[CmdletBinding(DefaultParameterSetName = 'Install')]
param(
    [Parameter(ParameterSetName = 'Install')]
    [string] $Plugin = (Join-Path $PSScriptRoot '..\antrea.exe'),

    [string] $BinDir = 'C:\opt\cni\bin',

    [Parameter(Mandatory, ParameterSetName = 'Rollback')]
    [switch] $Rollback
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$target = Join-Path $BinDir 'antrea.exe'
$before = Join-Path $BinDir '.antrea.exe.before'

# What ran when it was renamed away, and can be deleted now.
Get-ChildItem -LiteralPath $BinDir -Filter '.antrea.exe.old-*' -Force |
    Remove-Item -Force -ErrorAction SilentlyContinue

if ($Rollback) {
    if (-not (Test-Path -LiteralPath $before)) {
        throw "There is no $before to put back: nothing was installed here, or it was put back already."
    }
    $new = $before
} else {
    # A copy on the same volume, so that moving it in is one step.
    $new = Join-Path $BinDir '.antrea.exe.new'
    Copy-Item -LiteralPath $Plugin -Destination $new -Force
    & $new | Out-Null
    if ($LASTEXITCODE -ne 0) {
        Remove-Item -LiteralPath $new -Force
        throw "$Plugin does not start on this node."
    }
}

$old = Join-Path $BinDir ('.antrea.exe.old-{0}' -f [guid]::NewGuid())
$is_first = -not $Rollback -and -not (Test-Path -LiteralPath $before)
if (Test-Path -LiteralPath $target) {
    if ($is_first) {
        Copy-Item -LiteralPath $target -Destination $before
    }
    Move-Item -LiteralPath $target -Destination $old
}
try {
    Move-Item -LiteralPath $new -Destination $target
} catch {
    if (Test-Path -LiteralPath $old) {
        Move-Item -LiteralPath $old -Destination $target
    }
    throw
}
Remove-Item -LiteralPath $old -Force -ErrorAction SilentlyContinue
Write-Output "$target is $(if ($Rollback) { 'what it was before' } else { $Plugin })"
