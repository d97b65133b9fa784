#!/usr/bin/perl
# One real message to every domain of the files in `internet`, by Postfix: Policies.pm.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Lab;
use Policies;
use Test::More;

Policies::check_all(\%Policies::POSTFIX);
done_testing();
