<#
.SYNOPSIS
Puts the plugin in the place of the one that Antrea installed, or puts that one back.

.DESCRIPTION
The step of a HostProcess container, or an administrator's, with the programs of the
release's archive. antrea-cnictl.exe does the work: Windows lets nobody replace a program
that runs, but rename it, so the old plugin is renamed away and the new one is moved in.

.PARAMETER BinDir
The folder of the node's CNI plugins.

.PARAMETER Rollback
Puts back what was there before the last install.
#>
[CmdletBinding()]
param(
    [string] $BinDir = 'C:\opt\cni\bin',
    [switch] $Rollback
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$tool = Join-Path (Split-Path -Parent $PSScriptRoot) 'antrea-cnictl.exe'
$command = if ($Rollback) { 'rollback' } else { 'install' }
& $tool $command --bin-dir $BinDir
exit $LASTEXITCODE
